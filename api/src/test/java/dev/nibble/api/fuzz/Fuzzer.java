package dev.nibble.api.fuzz;

import dev.nibble.compute.files.Folders;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.SplittableRandom;

/**
 * The program that gives readers damaged files. For each target it starts a JVM, so that a crash, a
 * hang or an exhausted memory is a finding like any other:
 *
 * <pre>Fuzzer FINDINGS SECONDS SEED [TARGET...]</pre>
 *
 * It prints a line of figures for each target, keeps what failed in the folder, and ends with 1
 * when something did.
 */
final class Fuzzer {
  private static final long MOST_MEMORY = 3L << 30;
  private static final long PAGE = 4096;
  private static final long MOST_NANOS = 10_000_000_000L;
  private static final int MOST_PLACES = 20;

  private final FuzzTarget target;
  private final Path findings;
  private final FuzzCase fuzzCase;
  private volatile long began = System.nanoTime();
  private volatile boolean reading;

  private Fuzzer(FuzzTarget target, Path findings, Path scratch) throws IOException {
    this.target = target;
    this.findings = findings;
    this.fuzzCase = new FuzzCase(target, scratch);
  }

  static void main(String[] args) throws Exception {
    if (args[0].equals("--one")) {
      FuzzTarget target = FuzzTargets.named(args[1]);
      new Fuzzer(target, Path.of(args[2]), Path.of(args[3]))
          .run(Long.parseLong(args[4]), Long.parseLong(args[5]));
      return;
    }
    Path findings = Files.createDirectories(Path.of(args[0]));
    List<String> names = Arrays.asList(args).subList(3, args.length);
    int faults = 0;
    for (FuzzTarget target : FuzzTargets.all()) {
      if (names.isEmpty() || names.contains(target.name())) {
        faults += supervise(target, findings, Long.parseLong(args[1]), Long.parseLong(args[2]));
      }
    }
    System.exit(faults == 0 ? 0 : 1);
  }

  /** Runs a target in JVMs until its time is over, and returns how many of them died. */
  private static int supervise(FuzzTarget target, Path findings, long seconds, long seed)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    int faults = 0;
    for (int round = 0; System.nanoTime() < end && faults < MOST_PLACES; round++) {
      Path memory = Path.of("/dev/shm");
      Path scratch =
          Files.isDirectory(memory)
              ? Files.createTempDirectory(memory, "fuzz")
              : Files.createTempDirectory("fuzz");
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
      command.addAll(
          List.of(
              "-Xmx768m",
              "-XX:-OmitStackTraceInFastThrow",
              "-XX:-CreateCoredumpOnCrash",
              "-XX:+SuppressFatalErrorMessage",
              "-cp",
              System.getProperty("java.class.path"),
              Fuzzer.class.getName(),
              "--one",
              target.name(),
              findings.toString(),
              scratch.resolve("case").toString(),
              Long.toString(Math.max(1, (end - System.nanoTime()) / 1_000_000_000L)),
              Long.toString(seed + round)));
      int status = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (status != 0) {
        faults++;
        Path last = scratch.resolve("case").resolve(target.file());
        if (status > 2 && Files.exists(last)) {
          Path kept = findings.resolve(target.name() + "-" + (seed + round) + "-died");
          Files.copy(last, kept, StandardCopyOption.REPLACE_EXISTING);
          System.out.println(target.name() + ": the JVM ended with " + status + ", see " + kept);
        }
      }
      Folders.delete(scratch);
      if (status <= 2) {
        break;
      }
    }
    return faults;
  }

  private void run(long seconds, long seed) throws IOException {
    Thread.ofPlatform().daemon().start(this::watch);
    List<byte[]> seeds = target.seeds();
    Mutator mutator = new Mutator(new SplittableRandom(seed), seeds, target.text());
    Map<String, Integer> places = new HashMap<>();
    long cases = 0;
    long refused = 0;
    long faults = 0;
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    while (System.nanoTime() < end) {
      byte[] damaged = cases < seeds.size() ? seeds.get((int) cases) : mutator.next();
      cases++;
      began = System.nanoTime();
      reading = true;
      try {
        refused += fuzzCase.read(damaged) == FuzzCase.Outcome.REFUSED ? 1 : 0;
      } catch (FuzzCase.FuzzFault e) {
        faults++;
        if (places.merge(e.place(), 1, Integer::sum) == 1 && places.size() <= MOST_PLACES) {
          Path kept = findings.resolve(target.name() + "-" + seed + "-" + cases);
          Files.write(kept, damaged);
          System.out.println(target.name() + ": " + e.place() + ", see " + kept);
          e.fault().printStackTrace(System.out);
        }
      }
      reading = false;
    }
    System.out.printf(
        "%-20s %,10d cases  %,10d refused  %,10d read  %d faults%n",
        target.name(), cases, refused, cases - refused - faults, faults);
    System.out.flush();
    Runtime.getRuntime().halt(faults == 0 ? 0 : 2);
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(100);
        if (reading && System.nanoTime() - began > MOST_NANOS) {
          end("a case took longer than 10 seconds", 3);
        }
        if (residentBytes() > MOST_MEMORY) {
          end("a case took more than 3 GiB", 4);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end(String why, int status) {
    System.out.println(target.name() + ": " + why);
    Thread.getAllStackTraces()
        .forEach((thread, stack) -> {
          if (thread.getName().equals("main")) {
            Arrays.stream(stack).limit(25).forEach(e -> System.out.println("\tat " + e));
          }
        });
    System.out.flush();
    Runtime.getRuntime().halt(status);
  }

  private static long residentBytes() {
    try (Scanner pages = new Scanner(Path.of("/proc/self/statm"), StandardCharsets.US_ASCII)) {
      pages.nextLong();
      return pages.nextLong() * PAGE;
    } catch (IOException | RuntimeException e) {
      return 0;
    }
  }
}
