package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pages of the host: what stays, what lies in the file, and what becomes of the file. */
final class MappedPagesTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve("pages");
  }

  /** Two places for pages on their way, of the largest size, come off what may stay. */
  @ParameterizedTest
  @CsvSource({"1000, 4", "999, 1", "700, 1", "699, 0", "0, 0"})
  void asManyStayAsFit(long residentBytes, int pages) {
    Paging paging = new Paging(residentBytes, file());
    assertThat(paging.residentPages(new long[] {100, 300, 300, 300})).isEqualTo(pages);
  }

  @Test
  void pagesAreZeroKeepWhatIsWrittenAndDoNotOverlap() throws IOException {
    long[] sizes = {100, 36, 300, 4};
    Files.writeString(file(), "left by a run that was killed");
    try (Scope scope = Scope.open("test", Memory.host())) {
      try (Pager pager = Pager.onHost(scope, sizes, new Paging(300, file()))) {
        assertThat(Files.size(file())).isEqualTo(9 * 64);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
            .isEqualTo("rw-------");
        assertThat(scope.bytes()).as("nothing stays").isZero();
        for (int i = 0; i < sizes.length; i++) {
          pager.enter(i);
          Tensor page = pager.page(i);
          assertThat(page.bytes()).isEqualTo(sizes[i]);
          assertThat(page.memory().mismatch(scope.allocate("zeros", DType.U8, sizes[i]).memory()))
              .isEqualTo(-1);
          page.memory().fill((byte) (i + 1));
          pager.leave(i);
        }
        for (int i = 0; i < sizes.length; i++) {
          pager.enter(i);
          assertThat(pager.page(i).getInt(0)).isEqualTo(i + 1);
          assertThat(pager.page(i).getInt(sizes[i] - 1)).isEqualTo(i + 1);
          pager.leave(i);
        }
      }
      assertThat(file()).doesNotExist();
    }
  }

  @Test
  void withRoomForAllThereIsNoFile() {
    try (Scope scope = Scope.open("test", Memory.host());
        Pager pager = Pager.onHost(scope, new long[] {5, 6}, new Paging(11, file()))) {
      assertThat(file()).doesNotExist();
      assertThat(scope.bytes()).isEqualTo(11);
      assertThat(pager.page(1).bytes()).isEqualTo(6);
    }
  }

  @Test
  void aDiskWithoutRoom() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      long[] sizes = {1L << 60};
      assertThatThrownBy(() -> Pager.onHost(scope, sizes, new Paging(0, file())))
          .isInstanceOf(PagingException.class)
          .hasMessageContaining(file().toString())
          .hasMessageContaining("MB are free")
          .hasMessageContaining("stay in memory");
      assertThat(file()).doesNotExist();
    }
  }

  @Test
  void aFolderThatIsNotThere() {
    Path nowhere = folder.resolve("nowhere").resolve("pages");
    try (Scope scope = Scope.open("test", Memory.host())) {
      assertThatThrownBy(() -> Pager.onHost(scope, new long[] {8}, new Paging(0, nowhere)))
          .isInstanceOf(PagingException.class)
          .hasMessageContaining(nowhere.toString());
    }
  }
}
