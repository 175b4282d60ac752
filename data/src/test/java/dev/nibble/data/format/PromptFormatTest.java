package dev.nibble.data.format;

import static dev.nibble.data.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Opaque;
import dev.nibble.data.rows.Row;
import dev.nibble.errors.Remedy;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptFormatTest {
  /** The published wording ends in a space where ours, like axolotl's, ends in a line break. */
  @Test
  void alpacaHasThePublishedWording() throws NoSuchAlgorithmException {
    assertThat(sha256(Alpaca.standard().withInput().text().stripTrailing() + " "))
        .isEqualTo("8b24c1d0c55d40f1f5af377ddeaa952d9bf2edd062db97f4c0f69caa1df8e992");
    assertThat(sha256(Alpaca.standard().withoutInput().text().stripTrailing() + " "))
        .isEqualTo("a1b69f862f7831a2ab09cf66284726dafd2a67985c514b4e88e8a9a5766bc901");
    assertThat(Alpaca.standard().withInput().text()).endsWith("### Response:\n").hasSize(225);
  }

  @Test
  void alpacaSupervisesTheOutputOnly() {
    Example example =
        Alpaca.standard().example(row("instruction", "Add.", "input", "1+1", "output", "2"));
    assertThat(example.prompt())
        .contains("### Instruction:\nAdd.\n\n### Input:\n1+1\n\n### Response:\n");
    assertThat(example.answer()).isEqualTo("2");
    assertThat(example.text()).isEqualTo(example.prompt() + "2");
    assertThat(example.endsWithAnswer()).isTrue();
  }

  @Test
  void alpacaWithoutInputLeavesTheSectionOut() {
    for (@Nullable String input : Arrays.asList("", null)) {
      Example example =
          Alpaca.standard().example(row("instruction", "Hi", "input", input, "output", "x"));
      assertThat(example.prompt()).doesNotContain("### Input");
    }
    assertThat(Alpaca.standard().example(row("instruction", "Hi", "output", "x")).prompt())
        .doesNotContain("### Input");
  }

  @Test
  void alpacaTakesAnOwnPrompt() {
    Alpaca own = Alpaca.with(new PromptTemplate("{\"q\": {instruction}} {input}>"));
    Example example = own.example(row("instruction", "$1{input}", "input", "I", "output", "O"));
    assertThat(example.text()).isEqualTo("{\"q\": $1{input}} I>O");
  }

  @Test
  void aPromptIsFollowedByItsCompletionAlone() {
    Alpaca format =
        Alpaca.with(PromptTemplate.INSTRUCTION).withColumns(Alpaca.Columns.PROMPT_COMPLETION);
    Example example = format.example(row("prompt", "1+1=", "completion", "2", "input", "x"));
    assertThat(example.prompt()).isEqualTo("1+1=");
    assertThat(example.answer()).isEqualTo("2");
    assertThat(example.endsWithAnswer()).isTrue();
  }

  @Test
  void aMissingColumnNamesOtherKindsOfRows() {
    Row first = new Row(new HashMap<>(Map.of("prompt", "a", "completion", "b")), "a.jsonl", 1);
    assertThatThrownBy(() -> Alpaca.standard().example(first))
        .isInstanceOfSatisfying(
            InvalidDataset.class,
            e -> {
              assertThat(e.problem()).contains("a.jsonl, row 1: there is no column 'instruction'");
              assertThat(e.remedy()).hasValue(Remedy.OTHER_KIND_OF_ROWS);
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"image", "images", "audio", "videos"})
  void refusesWhatATextModelCannotTakeIn(String column) {
    Row with = row("instruction", "What?", "output", "A cat.", column, List.of("cat.png"));
    assertThatThrownBy(() -> Alpaca.standard().example(with))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("column '" + column + "' holds what a text model cannot take in");
    Row bytes = row("instruction", "What?", "output", "A cat.", column, new Opaque("Binary"));
    assertThatThrownBy(() -> Alpaca.standard().example(bytes)).hasMessageContaining(column);
    Row without = row("instruction", "What?", "output", "A cat.", column, List.of());
    assertThat(Alpaca.standard().example(without).answer()).isEqualTo("A cat.");
    Alpaca own = Alpaca.standard().withColumns(new Alpaca.Columns(column, "input", "output"));
    assertThat(own.example(row(column, "seven", "output", "7")).prompt()).contains("seven");
    assertThat(own.columns()).contains(column, "system");
  }

  @ParameterizedTest
  @ValueSource(strings = {"system", "history"})
  void refusesWhatThePromptHasNoPlaceFor(String column) {
    assertThatThrownBy(() ->
            Alpaca.standard().example(row("instruction", "Hi", "output", "x", column, "Be kind.")))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("column '" + column + "' has no place in this prompt");
    assertThat(
            Alpaca.standard().example(row("instruction", "Hi", "output", "x", column, "")).answer())
        .isEqualTo("x");
  }

  @Test
  void templatesNameUnknownPlaceholders() {
    assertThatThrownBy(() -> new PromptTemplate("{instruction} {inptu}"))
        .hasMessageContaining("{inptu}")
        .hasMessageContaining("Did you mean 'input'?");
  }

  @Test
  void templatesAskSomethingOfTheRow() {
    assertThatThrownBy(() -> new PromptTemplate("Which category?"))
        .hasMessageContaining("neither {instruction} nor {input}");
    Example example =
        Alpaca.with(new PromptTemplate("{input}?"))
            .example(row("instruction", "not asked", "input", "I", "output", "O"));
    assertThat(example.prompt()).isEqualTo("I?");
  }

  @Test
  void completionSupervisesEverything() {
    Example example = new Completion("body").example(row("body", "abc"));
    assertThat(example.prompt()).isEmpty();
    assertThat(example.answer()).isEqualTo("abc");
  }

  @Test
  void missingColumnsListThoseThereAre() {
    assertThatThrownBy(() -> Alpaca.standard().example(row("instruction", "a", "outptu", "b")))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("test.jsonl, row 7")
        .hasMessageContaining("no column 'output'")
        .hasMessageContaining("[instruction, outptu]")
        .hasMessageContaining("Did you mean 'outptu'?");
  }

  @Test
  void nullsInRequiredColumnsAreErrors() {
    assertThatThrownBy(() -> Alpaca.standard().example(row("instruction", "a", "output", null)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("test.jsonl, row 7")
        .hasMessageContaining("'output' is null");
  }

  private static String sha256(String text) throws NoSuchAlgorithmException {
    byte[] hash =
        MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash);
  }
}
