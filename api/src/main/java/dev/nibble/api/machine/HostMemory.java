package dev.nibble.api.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The machine's memory, as Linux tells it.
 *
 * @param total bytes of the machine
 * @param available bytes that programs can still take, within the limit too
 * @param limit bytes that the control group of this process may take, where it has a limit
 */
public record HostMemory(long total, long available, OptionalLong limit) {
  // Control groups of the first version write a limit near 2^63 where there is none.
  private static final long UNLIMITED = Long.MAX_VALUE / 2;

  /** The most bytes that this process can ever have. */
  public long most() {
    return Math.min(total, limit.orElse(total));
  }

  /** The machine's memory now; empty where the system does not say. */
  public static Optional<HostMemory> now() {
    return read(Path.of("/"));
  }

  /** The same below another root than "/". */
  static Optional<HostMemory> read(Path root) {
    List<String> info = lines(root.resolve("proc/meminfo"));
    OptionalLong total = field(info, "MemTotal:");
    OptionalLong available = field(info, "MemAvailable:");
    if (total.isEmpty() || available.isEmpty()) {
      return Optional.empty();
    }
    OptionalLong limit = OptionalLong.empty();
    long left = available.getAsLong();
    for (Path group : groups(root)) {
      OptionalLong most = number(group, "memory.max", "memory.limit_in_bytes");
      if (most.isEmpty() || most.getAsLong() >= Math.min(UNLIMITED, total.getAsLong())) {
        continue;
      }
      limit = OptionalLong.of(Math.min(limit.orElse(UNLIMITED), most.getAsLong()));
      long used = number(group, "memory.current", "memory.usage_in_bytes").orElse(0);
      // Cached pages of files count as used and are given up when memory is short.
      long cached = stat(group);
      left = Math.min(left, Math.max(0, most.getAsLong() - Math.max(0, used - cached)));
    }
    return Optional.of(new HostMemory(total.getAsLong(), left, limit));
  }

  /** Folders of this process's control group and of those around it. */
  private static List<Path> groups(Path root) {
    return lines(root.resolve("proc/self/cgroup")).stream()
        .map(line -> line.split(":", 3))
        .filter(part -> part.length == 3 && (part[1].isEmpty() || part[1].equals("memory")))
        .flatMap(part -> {
          Path top = root.resolve(part[1].isEmpty() ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
          Path group = top.resolve(part[2].replaceFirst("^/+", "")).normalize();
          return Stream.iterate(
              group.startsWith(top) ? group : top,
              g -> g.startsWith(top),
              g -> g.resolve("..").normalize());
        })
        .toList();
  }

  private static OptionalLong number(Path group, String... names) {
    for (String name : names) {
      List<String> lines = lines(group.resolve(name));
      if (!lines.isEmpty() && lines.getFirst().matches("\\d{1,18}")) {
        return OptionalLong.of(Long.parseLong(lines.getFirst()));
      }
    }
    return OptionalLong.empty();
  }

  private static long stat(Path group) {
    return lines(group.resolve("memory.stat")).stream()
        .filter(line -> line.matches("(total_)?inactive_file \\d{1,18}"))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(' ') + 1)))
        .max()
        .orElse(0);
  }

  /** A line such as {@code MemTotal: 123 kB} in bytes. */
  private static OptionalLong field(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst();
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }
}
