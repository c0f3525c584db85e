{
  "targets": [
    {
      "target_name": "gc_probe",
      "sources": [
        "addon.cc",
        "allocation_windows.cc",
        "array_buffer_meter.cc",
        "background_thread.cc",
        "code_ranges.cc",
        "collections.cc",
        "heap_layout.cc",
        "heap_samples.cc",
        "loop_watch.cc",
        "mapped_log.cc",
        "session.cc",
        "trace_spans.cc",
        "trigger_stacks.cc"
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
