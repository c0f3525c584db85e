// Does with one log what its first argument says, to the file that its second one names, and prints what came of it as
// "name value" lines. test/native/mapped-log.test.ts compiles it together with native/gc-probe/mapped_log.cc and looks at the
// files.
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mapped_log.h"

namespace {

using gcspike::LogKind;
using gcspike::MappedLog;

constexpr size_t kRecordBytes = 1024;

void Print(const char* name, long long value) { std::printf("%s %lld\n", name, value); }

// Record n is kRecordBytes times the byte n.
bool Append(MappedLog* log, int n) {
  void* at = log->Reserve(kRecordBytes);
  if (at == nullptr) return false;
  std::memset(at, n, kRecordBytes);
  log->Commit(kRecordBytes);
  return true;
}

int AppendUntilFull(MappedLog* log, int most) {
  for (int n = 0; n < most; n++) {
    if (!Append(log, n)) return n;
  }
  return most;
}

void OpenOrExit(MappedLog* log, const std::string& path, uint64_t ahead, uint64_t limit, bool ring = false) {
  if (log->Open(path, {LogKind::kGc, kRecordBytes, 7, ahead, limit, ring})) return;
  Print("opened", 0);
  std::exit(0);
}

// With records as long as those of a process with two heap spaces.
void Layout(const std::string& path) {
  constexpr size_t record_bytes = sizeof(gcspike::GcRecord) + 2 * sizeof(gcspike::GcSpace) + sizeof(gcspike::GcProcess);
  MappedLog log;
  if (!log.Open(path, {LogKind::kGc, record_bytes, 7, 64 << 10, 1 << 20, false})) std::exit(1);
  Print("new_space", log.FindOrAddString("new_space"));
  Print("long", log.FindOrAddString(std::string(100, 'x').c_str()));
  Print("new_space again", log.FindOrAddString("new_space"));
  Print("long again", log.FindOrAddString(std::string(100, 'x').c_str()));
  for (int n = 1; n <= 3; n++) {
    std::memset(log.Reserve(record_bytes), n, record_bytes);
    log.Commit(record_bytes);
  }
  std::memset(log.Reserve(record_bytes), 0xee, record_bytes);  // begun and never committed
}

// Nobody makes room for this one: the writer waits for it.
void Waiting(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 0, 8 << 20);
  int count = 0;
  for (int n = 0; n < 3000; n++) {
    void* at = log.ReserveWaiting(kRecordBytes);
    if (at == nullptr) continue;
    std::memset(at, n, kRecordBytes);
    log.Commit(kRecordBytes);
    log.ReleasePages();
    count++;
  }
  Print("appended", count);
  log.Close();
}

// The program closes a number that is not its own, and gets it for a file of its own.
void Stolen(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  struct stat ours, other;
  stat(path.c_str(), &ours);
  int number = 3;
  while (fstat(number, &other) != 0 || other.st_ino != ours.st_ino) number++;
  Print("high", number >= 32);
  const int own = open((path + ".own").c_str(), O_RDWR | O_CREAT, 0644);
  dup2(own, number);
  const int appended = AppendUntilFull(&log, 100);
  log.MakeRoom();
  log.Close();
  Print("appended", appended);
  Print("still open", write(number, "own", 3));
}

void Names(const std::string& path) {
  for (const auto& [suffix, kind] : {std::pair{".loop", LogKind::kLoop}, {".phases", LogKind::kPhases}}) {
    MappedLog log;
    if (!log.Open(path + suffix, {kind, 32, 0, 4096, 1 << 20, false})) std::exit(1);
    int count = 0;
    while (log.FindOrAddString(std::to_string(count).c_str()) == count) count++;
    Print(suffix, count);
    Print("after the last", log.FindOrAddString("one more"));
    log.Close();
  }
}

void Limit(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 64 << 10);
  int count = 0;
  for (int turn = 0; turn < 20; turn++) {
    count += AppendUntilFull(&log, 5);
    log.MakeRoom();
  }
  Print("appended", count);
}

void Fast(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  Print("appended", AppendUntilFull(&log, 1000));
  log.MakeRoom();
  Print("appended after room was made", AppendUntilFull(&log, 1000));
}

void FillDisk(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0644);
  std::vector<char> block(64 << 10, 'x');
  for (int i = 0; i < 32; i++) {
    if (write(fd, block.data(), block.size()) < 0) break;
  }
  close(fd);
}

// A disk of 4 MiB, half of it full of something else.
void Disk(const std::string& path) {
  const std::string other = path + ".other";
  FillDisk(other);
  MappedLog log;
  OpenOrExit(&log, path, 256 << 10, 64 << 20);
  const auto fill = [&log] {
    int count = 0;
    for (int turn = 0; turn < 100; turn++) {
      count += AppendUntilFull(&log, 100);
      log.MakeRoom();
    }
    return count;
  };
  Print("appended", fill());
  unlink(other.c_str());
  log.MakeRoom();
  Print("appended after space was freed", fill());
}

void FileSizeLimit(const std::string& path) {
  std::signal(SIGXFSZ, SIG_IGN);  // as Node does
  const rlimit limit = {64 << 10, 64 << 10};
  setrlimit(RLIMIT_FSIZE, &limit);
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  int count = 0;
  for (int turn = 0; turn < 20; turn++) {
    count += AppendUntilFull(&log, 8);
    log.MakeRoom();
  }
  Print("appended", count);
}

void Closed(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  Append(&log, 1);
  log.Close();
  Print("appended", Append(&log, 2));
  Print("name", log.FindOrAddString("name"));
  log.MakeRoom();
  log.Close();
}

void Never(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  Print("opened", 1);
}

void Unopened(const std::string&) {
  MappedLog log;
  Print("appended", Append(&log, 1));
  Print("name", log.FindOrAddString("name"));
  log.MakeRoom();
  log.Close();
}

void Fork(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, 1 << 20);
  Append(&log, 1);
  if (const pid_t child = fork(); child == 0) {
    const bool appended = Append(&log, 9);
    const bool named = log.FindOrAddString("child") >= 0;
    _exit(appended || named ? 1 : 0);
  } else {
    int status = 0;
    waitpid(child, &status, 0);
    Print("child wrote", WEXITSTATUS(status));
  }
  Print("appended", Append(&log, 2));
}

// Two threads, as in the probe.
void Threads(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 256 << 10, 256 << 20);
  std::atomic<bool> over{false};
  std::thread background([&] {
    while (!over.load()) log.MakeRoom();
  });
  long long appended = 0;
  for (int n = 0; n < 50'000; n++) appended += Append(&log, n % 251) ? 1 : 0;
  over.store(true);
  background.join();
  Print("appended", appended);
}

// What a recorder says: it has no more use for what is before that position.
void SayForgotten(const std::string& path, uint64_t position) {
  const int fd = open(path.c_str(), O_WRONLY);
  if (pwrite(fd, &position, sizeof(position), offsetof(gcspike::LogHeader, first_bytes)) < 0) std::exit(1);
  close(fd);
}

constexpr uint64_t kRingLimit = 256 << 10;  // half of it is the ring

// Many laps, while a recorder keeps the last 64 records.
void Ring(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, kRingLimit, true);
  long long appended = 0;
  for (int turn = 0; turn < 400; turn++) {
    for (int n = 0; n < 5; n++) appended += Append(&log, static_cast<int>(appended % 251)) ? 1 : 0;
    if (appended > 64) SayForgotten(path, static_cast<uint64_t>(appended - 64) * kRecordBytes);
    log.Forget();
    log.MakeRoom();
  }
  Print("appended", appended);
  struct stat file;
  stat(path.c_str(), &file);
  Print("disk", static_cast<long long>(file.st_blocks) * 512);
  Print("size", file.st_size);
  log.Close();
}

// Nobody forgets anything at first, and nobody may make it forget what was not written.
void FullRing(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 16 << 10, kRingLimit, true);
  const auto fill = [&log] {
    int count = 0;
    for (int turn = 0; turn < 40; turn++) {
      count += AppendUntilFull(&log, 8);
      log.Forget();
      log.MakeRoom();
    }
    return count;
  };
  Print("appended", fill());
  SayForgotten(path, 1ull << 40);
  Print("appended after nonsense", fill());
  SayForgotten(path, 64 * kRecordBytes);
  Print("appended after 64 were forgotten", fill());
}

// As in the probe: the writer does not know when the background thread forgets.
void RingThreads(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 32 << 10, kRingLimit, true);
  std::atomic<bool> over{false};
  std::atomic<uint64_t> appended{0};
  std::thread background([&] {
    while (!over.load()) {
      const uint64_t count = appended.load();
      if (count > 64) SayForgotten(path, (count - 64) * kRecordBytes);
      log.Forget();
      log.MakeRoom();
    }
  });
  while (appended.load() < 20'000) {
    if (Append(&log, static_cast<int>(appended.load() % 251))) appended++;
    else std::this_thread::yield();
  }
  over.store(true);
  background.join();
}

long long MappedResidentBytes() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  long long total = 0, kib = 0;
  while (std::fgets(line, sizeof(line), status) != nullptr) {
    if (std::sscanf(line, "RssFile: %lld", &kib) == 1 || std::sscanf(line, "RssShmem: %lld", &kib) == 1) total += kib;
  }
  std::fclose(status);
  return total << 10;
}

void Resident(const std::string& path) {
  MappedLog log;
  OpenOrExit(&log, path, 1 << 20, 256 << 20);
  Append(&log, 1);
  const long long before = MappedResidentBytes();
  for (int turn = 0; turn < 400; turn++) {
    AppendUntilFull(&log, 160);
    log.MakeRoom();
  }
  Print("grown", MappedResidentBytes() - before);
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, void (*)(const std::string&)> actions[] = {
      {"layout", Layout},  {"waiting", Waiting}, {"stolen", Stolen}, {"names", Names},     {"limit", Limit},     {"fast", Fast},
      {"disk", Disk},      {"size", FileSizeLimit}, {"closed", Closed},   {"never", Never},
      {"unopened", Unopened}, {"fork", Fork},       {"threads", Threads}, {"resident", Resident},
      {"ring", Ring},      {"full-ring", FullRing}, {"ring-threads", RingThreads},
  };
  if (argc != 3) return 2;
  for (const auto& [name, action] : actions) {
    if (std::strcmp(name, argv[1]) != 0) continue;
    action(argv[2]);
    return 0;
  }
  return 2;
}
