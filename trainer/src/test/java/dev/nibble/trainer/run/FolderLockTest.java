package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FolderLockTest {
  @TempDir Path dir;

  @Test
  void oneHolderInAProcess() throws IOException {
    try (FolderLock _ = FolderLock.acquire(dir)) {
      assertThat(dir.resolve(FolderLock.NAME)).exists();
      Path link = Files.createSymbolicLink(dir.resolve("link"), dir);
      assertThatThrownBy(() -> FolderLock.acquire(link))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("is in use by another run of this process")
          .hasMessageContaining("Wait until that run has ended");
    }
    assertThat(dir.resolve(FolderLock.NAME)).doesNotExist();
    FolderLock.acquire(dir).close();
  }

  @Test
  void oneHolderAmongProcessesUntilItIsKilled() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                dir.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertThatThrownBy(() -> FolderLock.acquire(dir))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("is in use by process " + holder.pid());
    } finally {
      holder.destroyForcibly();
      assertThat(holder.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(dir.resolve(FolderLock.NAME)).as("it was killed").exists();
    FolderLock.acquire(dir).close();
    assertThat(dir.resolve(FolderLock.NAME)).doesNotExist();
  }

  /** Holds a folder until it is killed. */
  static final class Holder {
    public static void main(String[] args) throws Exception {
      try (FolderLock _ = FolderLock.acquire(Path.of(args[0]))) {
        System.out.println("held");
        Thread.sleep(600_000);
      }
    }
  }

  @Test
  void withoutLocksTheFileIsTheLock() throws IOException {
    FolderLock.Locks none =
        channel -> {
          throw new IOException("No locks available");
        };
    Path file = dir.resolve(FolderLock.NAME);
    LockOwner self = LockOwner.current();
    try (FolderLock _ = FolderLock.acquire(dir, none)) {
      assertThat(LockOwner.read(file)).isEqualTo(self);
    }
    assertThat(file).doesNotExist();

    for (LockOwner there : List.of(self, new LockOwner(self.pid(), "elsewhere", self.started()))) {
      Files.writeString(file, there.text());
      assertThatThrownBy(() -> FolderLock.acquire(dir, none))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("process %d on %s".formatted(self.pid(), there.host()))
          .hasMessageContaining("run.lock says; delete that file if the process is gone");
    }
    Files.writeString(file, "half a l");
    assertThatThrownBy(() -> FolderLock.acquire(dir, none)).hasMessageContaining("another process");

    Files.writeString(file, new LockOwner(self.pid(), self.host(), "2001-01-01").text());
    FolderLock.acquire(dir, none).close();
    assertThat(file).as("its number was given to another process since").doesNotExist();
  }

  @Test
  void whoeverSetsTheClockMakesNoOwnerAnother() throws IOException {
    ProcessHandle self = ProcessHandle.current();
    Path stat = Files.createDirectories(dir.resolve(Long.toString(self.pid()))).resolve("stat");
    Path boot = Files.createDirectories(dir.resolve("sys/kernel/random")).resolve("boot_id");
    Files.writeString(stat, "7 (a) b (c)) S" + " 0".repeat(18) + " 4711 0 0\n");
    assertThat(LockOwner.started(self, dir))
        .as("what says no more than that is a time of day")
        .isEqualTo(self.info().startInstant().orElseThrow().toString());
    Files.writeString(boot, "6f1c\n");
    assertThat(LockOwner.started(self, dir)).isEqualTo("4711@6f1c");
    assertThat(LockOwner.current().started()).isEqualTo(LockOwner.started(self, Path.of("/proc")));
  }
}
