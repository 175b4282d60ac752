package dev.nibble.trainer.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/**
 * The process that holds a folder, as its lock file tells.
 *
 * @param pid its number
 * @param host the machine that it runs on; empty when unknown
 * @param started what tells when it started; empty when unknown
 */
record LockOwner(long pid, String host, String started) {
  private static final LockOwner UNKNOWN = new LockOwner(0, "", "");
  private static final Path PROC = Path.of("/proc");

  /** Where the ticks are among the fields of Linux's stat that follow the process's name. */
  private static final int START_TICKS = 19;

  /** This process. */
  static LockOwner current() {
    return new LockOwner(
        ProcessHandle.current().pid(), thisHost(), started(ProcessHandle.current(), PROC));
  }

  /** What a lock file tells, which may be nothing. */
  static LockOwner read(Path file) {
    try {
      String[] words = Files.readString(file).strip().split(" ", -1);
      return words.length == 3
          ? new LockOwner(Long.parseLong(words[0]), words[1], words[2])
          : UNKNOWN;
    } catch (IOException | NumberFormatException e) {
      return UNKNOWN;
    }
  }

  /** The line that {@link #read} reads. */
  String text() {
    return "%d %s %s%n".formatted(pid, host, started);
  }

  /** Whether the process is known to have ended. */
  boolean isGone() {
    if (pid == 0 || host.isEmpty() || !host.equals(thisHost())) {
      return false;
    }
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    return process.isEmpty() || !started(process.get(), PROC).equals(started);
  }

  /** The owner in words. */
  String describe() {
    if (pid == 0) {
      return "another process";
    }
    return "process " + pid + (host.isEmpty() ? "" : " on " + host);
  }

  /**
   * On Linux, ticks of the clock that counts from the machine's start, which nobody can set, and
   * that start's id. Java reckons a time of day from them and from the clock as it was set when the
   * asking process began, so that two processes disagree once it has been set.
   */
  static String started(ProcessHandle process, Path proc) {
    try {
      String stat = Files.readString(proc.resolve(process.pid() + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
      String boot = Files.readString(proc.resolve("sys/kernel/random/boot_id")).strip();
      return fields[START_TICKS] + "@" + boot;
    } catch (IOException | IndexOutOfBoundsException e) {
      return process.info().startInstant().map(Instant::toString).orElse("");
    }
  }

  /** Without asking a name server, which may be slow or absent. */
  private static String thisHost() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      String name = System.getenv("COMPUTERNAME"); // Windows
      return name == null ? Optional.ofNullable(System.getenv("HOSTNAME")).orElse("") : name;
    }
  }
}
