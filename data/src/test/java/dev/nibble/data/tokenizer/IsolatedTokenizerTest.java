package dev.nibble.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers on which the native library panics, which would end this process. */
@Timeout(120)
class IsolatedTokenizerTest {
  private static final List<String> TEXTS =
      List.of("", "hello", "a".repeat(40) + "b", " \uff48\u00e9llo \u2460 ", "abc  abc");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "bpe_merge_prefix, opened the file, continuing_subword_prefix",
    "bpe_prefix, opened the file, continuing_subword_prefix",
    "dec_replace_regex, decoded, decoder has a Replace by the regular expression '^(a+)+$'",
    "mutated, encoded a text, post_processor puts tokens around a text twice",
    "norm_backtrack, encoded a text, normalizer has a Replace by the regular expression",
    "norm_empty, encoded a text, normalizer has an empty pattern",
    "precompiled_bad2, opened the file, normalizer has a part of type 'Precompiled'",
    "precompiled_len, opened the file, normalizer has a part of type 'Precompiled'",
    "precompiled_trie, encoded a text, normalizer has a part of type 'Precompiled'",
    "regex_backtrack, encoded a text, pre_tokenizer has a Split by the regular expression",
    "strip_decoder, decoded, decoder strips ends of tokens",
    "tmpl_missing, encoded a text, post_processor puts special token 'zz'"
  })
  void aPanicIsAnError(String name, String deed, String reason) throws IOException {
    try (InputStream fault =
        Objects.requireNonNull(
            getClass().getResourceAsStream("/faults/tokenizers/" + name + ".json"))) {
      Files.copy(fault, folder.resolve("tokenizer.json"));
    }
    assertThatThrownBy(() -> useEveryWay(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(folder.resolve("tokenizer.json").toString())
        .hasMessageContaining("failed when it " + deed)
        .hasMessageContaining("it panicked: ")
        .hasMessageContaining(reason);
  }

  private static void useEveryWay(Path folder) {
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      for (String text : TEXTS) {
        int[] ids = tokenizer.encode(text, true).ids();
        assertThat(tokenizer.ids(text, true)).isEqualTo(ids);
        tokenizer.decode(ids, true);
      }
      tokenizer.decode(IntStream.range(0, tokenizer.vocabSize()).toArray(), false);
      tokenizer.decode(new int[0], false);
      IntStream.range(0, tokenizer.vocabSize())
          .forEach(id -> tokenizer.decode(new int[] {id}, false));
    }
  }

  @Test
  void anErrorOfOneTextLeavesTheNextAlone() throws IOException {
    try (InputStream fault =
        Objects.requireNonNull(
            getClass().getResourceAsStream("/faults/tokenizers/regex_backtrack.json"))) {
      Files.copy(fault, folder.resolve("tokenizer.json"));
    }
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      int[] before = tokenizer.ids("hello", true);
      assertThatThrownBy(() -> tokenizer.ids("a".repeat(40) + "b", true))
          .isInstanceOf(InvalidTokenizer.class)
          .hasMessageContaining("retry-limit-in-match over");
      assertThat(tokenizer.ids("hello", true)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2_like", "llama3_like", "qwen_like"})
  void givesWhatTheLibraryGivesWithinTheProcess(String name) throws IOException {
    Path model = Golden.path("tokenizers", name);
    Path file = model.resolve("tokenizer.json");
    String json = Files.readString(file);
    Vocabulary vocabulary = Vocabulary.read(file, json, Set.of());
    assertThat(vocabulary.hazards()).isEmpty();
    try (Tokenizer within = Tokenizers.open(model);
        Tokenizer isolated =
            new IsolatedTokenizer(
                file, json, vocabulary.size(), within.special(), "as a comparison")) {
      for (String text : TEXTS) {
        Encoding expected = within.encode(text, true);
        Encoding actual = isolated.encode(text, true);
        assertThat(actual.ids()).isEqualTo(expected.ids());
        assertThat(actual.starts()).isEqualTo(expected.starts());
        assertThat(actual.ends()).isEqualTo(expected.ends());
        assertThat(isolated.ids(text, false)).isEqualTo(within.ids(text, false));
        assertThat(isolated.decode(actual.ids(), true))
            .isEqualTo(within.decode(actual.ids(), true));
      }
    }
  }

  @Test
  void aLongRunOfSpacesIsAnErrorToo() {
    try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "llama3_like"))) {
      assertThatThrownBy(() -> tokenizer.ids(" ".repeat(12_000_000) + "x", false))
          .isInstanceOf(InvalidTokenizer.class)
          .hasMessageContaining("encoded a text of 12000001 characters")
          .hasMessageContaining("a long run");
      assertThat(tokenizer.ids("x", false)).isNotEmpty();
    }
  }

  @Test
  void refusesUseAfterClosing() throws IOException {
    try (InputStream fault =
        Objects.requireNonNull(
            getClass().getResourceAsStream("/faults/tokenizers/regex_backtrack.json"))) {
      Files.copy(fault, folder.resolve("tokenizer.json"));
    }
    Tokenizer tokenizer = Tokenizers.open(folder);
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.ids("a", false)).isInstanceOf(IllegalStateException.class);
  }
}
