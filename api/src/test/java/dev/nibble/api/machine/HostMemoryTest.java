package dev.nibble.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  private static final long GIB = 1L << 30;

  @TempDir Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.resolve(".."));
    Files.writeString(path, text);
  }

  private HostMemory read() {
    return HostMemory.read(root).orElseThrow();
  }

  private void machine() throws IOException {
    write("proc/meminfo", "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n");
  }

  @Test
  void aSystemThatDoesNotSay() {
    assertThat(HostMemory.read(root)).isEmpty();
  }

  @Test
  void aMachineWithoutLimits() throws IOException {
    machine();
    write("proc/self/cgroup", "0::/user.slice\n");
    write("sys/fs/cgroup/user.slice/memory.max", "max\n");
    assertThat(read().most()).isEqualTo(16 * GIB);
    assertThat(read().available()).isEqualTo(8 * GIB);
    assertThat(read().limit()).isEmpty();
  }

  /** The narrowest of the groups around the process counts, and cached files are given up. */
  @Test
  void aContainer() throws IOException {
    machine();
    write("proc/self/cgroup", "0::/pod/box\n");
    write("sys/fs/cgroup/pod/memory.max", Long.toString(4 * GIB));
    write("sys/fs/cgroup/pod/memory.current", Long.toString(3 * GIB));
    write("sys/fs/cgroup/pod/memory.stat", "anon 1\ninactive_file " + GIB + "\n");
    write("sys/fs/cgroup/pod/box/memory.max", "max\n");
    assertThat(read().most()).isEqualTo(4 * GIB);
    assertThat(read().available()).isEqualTo(2 * GIB);
  }

  @Test
  void groupsOfTheFirstVersion() throws IOException {
    machine();
    write("proc/self/cgroup", "5:memory:/box\n4:cpu:/box\n");
    write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", Long.toString(2 * GIB));
    write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", Long.toString(GIB));
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    assertThat(read().most()).isEqualTo(2 * GIB);
    assertThat(read().available()).isEqualTo(GIB);
  }
}
