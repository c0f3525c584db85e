{
  "targets": [
    {
      "target_name": "gc_probe",
      "sources": [
        "addon.cc",
        "allocation_windows.cc",
        "array_buffer_meter.cc",
        "background_thread.cc",
        "buffer_sampler.cc",
        "code_ranges.cc",
        "collections.cc",
        "deferred_code.cc",
        "function_table.cc",
        "heap_layout.cc",
        "heap_sampler.cc",
        "heap_samples.cc",
        "high_descriptor.cc",
        "inlined_functions.cc",
        "javascript_stacks.cc",
        "loop_watch.cc",
        "loop_call.cc",
        "mapped_log.cc",
        "recorder_watch.cc",
        "sampling_interval.cc",
        "session.cc",
        "stack_table.cc",
        "symbols.cc",
        "trace_spans.cc"
      ],
      "cflags_cc": ["-std=c++20", "-O2", "-fno-rtti", "-fno-exceptions", "-fno-omit-frame-pointer", "-ftls-model=initial-exec", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-cast-function-type"],
      "conditions": [
        # nodelete: the background thread and the replaced function tables outlive any worker that loaded this library.
        # now: otherwise the first collection waits while the linker looks up every function that the probe calls.
        ["OS=='linux'", { "ldflags": ["-Wl,-z,nodelete", "-Wl,-z,now"] }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
            "GCC_ENABLE_CPP_RTTI": "NO",
            "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
            "MACOSX_DEPLOYMENT_TARGET": "11.0"
          }
        }]
      ]
    }
  ]
}
