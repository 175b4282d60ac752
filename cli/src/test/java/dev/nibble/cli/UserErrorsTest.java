package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UserErrorsTest {
  @Test
  void whatAUserCanChangeIsPrintedAlone() {
    assertThat(UserErrors.text(new Example(Fault.USER, "rows.jsonl, line 3: no column 'output'")))
        .isEqualTo("rows.jsonl, line 3: no column 'output'");
    assertThat(UserErrors.text(new Example(Fault.MACHINE, "the disk is full")))
        .isEqualTo("the disk is full");
  }

  @Test
  void faultsOfNibbleSayThatTheyAre() {
    assertThat(UserErrors.text(new Example(Fault.BUG, "a kernel failed")))
        .startsWith("a kernel failed")
        .contains("a bug in Nibble, not in your recipe", "--debug");
    assertThat(UserErrors.text(new IllegalArgumentException("columns 3 to 9 do not fit")))
        .startsWith("Nibble failed: java.lang.IllegalArgumentException: columns 3 to 9")
        .contains("a bug in Nibble, not in your recipe", "--debug");
  }

  @Test
  void filesThatCannotBeReadAreSoInWords() {
    IOException missing = new NoSuchFileException("model/x");
    assertThat(UserErrors.text(new UncheckedIOException(missing)))
        .isEqualTo("model/x does not exist");
    assertThat(UserErrors.text(new UncheckedIOException("cannot read model: model/x", missing)))
        .isEqualTo("model/x does not exist");
    IOException torn = new IOException("Input/output error");
    assertThat(UserErrors.text(new UncheckedIOException("cannot read model: torn", torn)))
        .isEqualTo("cannot read model: torn");
  }

  @Test
  void remediesAreInTheWordsOfRecipes() {
    Example full = new Example("there is no room for 3 GB", Remedy.FEWER_PAGES_ON_DISK);
    assertThat(full)
        .hasMessage("there is no room for 3 GB. " + full.remedy().orElseThrow().words());
    assertThat(UserErrors.text(full))
        .startsWith("there is no room for 3 GB. Free some space,")
        .contains("output_dir", "paged_optimizer_memory")
        .doesNotContain(full.remedy().orElseThrow().words());
  }

  private static final class Example extends NibbleException {
    private static final long serialVersionUID = 1L;

    Example(Fault fault, String message) {
      super(fault, message);
    }

    Example(String problem, Remedy remedy) {
      super(Fault.MACHINE, problem, Optional.of(remedy));
    }
  }
}
