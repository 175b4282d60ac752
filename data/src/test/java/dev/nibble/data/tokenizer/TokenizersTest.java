package dev.nibble.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizersTest {
  @TempDir Path folder;

  @Test
  void knowsSizeAndSpecialTokens() {
    try (Tokenizer llama = Tokenizers.open(Golden.path("tokenizers", "llama2_like"));
        Tokenizer qwen = Tokenizers.open(Golden.path("tokenizers", "qwen_like"))) {
      assertThat(llama.special().bos()).hasValue(1);
      assertThat(llama.special().eos()).hasValue(2);
      assertThat(llama.special().pad()).isEmpty();
      assertThat(llama.special().stop()).containsExactly(2);
      assertThat(qwen.special().bos()).isEmpty();
      assertThat(qwen.special().eos()).hasValue(2);
      assertThat(qwen.special().pad()).hasValue(0);
      assertThat(qwen.vocabSize()).isEqualTo(1501);
    }
  }

  /** DJL's own choice may be a folder that other users could have made. */
  @Test
  void theLibraryIsUnpackedIntoTheHome() {
    Tokenizers.open(Golden.path("tokenizers", "qwen_like")).close();
    assertThat(System.getProperty("DJL_CACHE_DIR"))
        .isEqualTo(System.getProperty("user.home") + "/.djl.ai");
  }

  @Test
  void takesIdsFromTheModelWhereNoNameIsGiven() throws IOException {
    copyTokenizer();
    Files.writeString(
        folder.resolve("config.json"), "{\"bos_token_id\": 1, \"eos_token_id\": [2]}");
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [2, 7]}");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"pad_token\": {\"content\": \"<unk>\"}, \"bos_token\": null}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(tokenizer.special().bos()).isEqualTo(OptionalInt.empty());
      assertThat(tokenizer.special().eos()).hasValue(2);
      assertThat(tokenizer.special().pad()).hasValue(0);
      assertThat(tokenizer.special().stop()).containsExactly(2, 7);
    }
  }

  @Test
  void saysThatTokenizerJsonIsMissing() {
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("no tokenizer.json");
    assertThatThrownBy(() -> Tokenizers.open(folder.resolve("nowhere")))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining("no such folder");
  }

  @Test
  void saysWhereTheFileIsCorrupt() throws IOException {
    copyTokenizer();
    Path file = folder.resolve("tokenizer.json");
    String json = Files.readString(file);
    Files.writeString(file, json.substring(0, json.length() / 2));
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("not valid JSON");
  }

  @Test
  void refusesUseAfterClosing() {
    Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "qwen_like"));
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.ids("a", false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  /** Closing waits for those inside; whoever comes later is refused. */
  @Test
  void closesUnderItsUsers() throws InterruptedException {
    String text = "A sentence that takes the library some time. ".repeat(200);
    for (int round = 0; round < 10; round++) {
      Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "qwen_like"));
      int[] expected = tokenizer.ids(text, false);
      List<Throwable> problems = new CopyOnWriteArrayList<>();
      CountDownLatch running = new CountDownLatch(3);
      List<Thread> users = new ArrayList<>();
      for (int u = 0; u < 3; u++) {
        users.add(
            Thread.ofPlatform()
                .uncaughtExceptionHandler((_, e) -> problems.add(e))
                .start(() -> {
                  running.countDown();
                  while (true) {
                    assertThat(tokenizer.encode(text, false).ids()).isEqualTo(expected);
                  }
                }));
      }
      running.await();
      tokenizer.close();
      for (Thread user : users) {
        user.join();
      }
      assertThat(problems)
          .hasSize(3)
          .allSatisfy(e ->
              assertThat(e)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("closed"));
    }
  }

  @Test
  void saysWhatIsThereInItsPlace() throws IOException {
    Files.writeString(folder.resolve("tokenizer.model"), "x");
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .hasMessageContaining("no tokenizer.json, only tokenizer.model. Convert the tokenizer");
    Files.delete(folder.resolve("tokenizer.model"));
    Files.writeString(folder.resolve("vocab.json"), "{}");
    Files.writeString(folder.resolve("merges.txt"), "");
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .hasMessageContaining("no tokenizer.json, only vocab.json, merges.txt. Convert");
  }

  /** Also where a role's token comes from config.json alone, as with old Llama models. */
  @Test
  void everyTerminatorStopsGeneration() throws IOException {
    copyTokenizer();
    Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": [2, 9, 7]}");
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(tokenizer.special().stop()).containsExactly(2, 9, 7);
    }
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": 7}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(tokenizer.special().stop()).containsExactly(2, 7);
    }
  }

  @ParameterizedTest
  @CsvSource({"\"<s>\", \"</s>\"", "{\"content\": \"<s>\"}, {\"content\": \"</s>\"}"})
  void rolesAreStringsOrObjects(String bos, String eos) throws IOException {
    copyTokenizer();
    for (String file : new String[] {"tokenizer_config.json", "special_tokens_map.json"}) {
      Files.writeString(
          folder.resolve(file), "{\"bos_token\": %s, \"eos_token\": %s}".formatted(bos, eos));
      try (Tokenizer tokenizer = Tokenizers.open(folder)) {
        assertThat(tokenizer.special().bos()).hasValue(1);
        assertThat(tokenizer.special().eos()).hasValue(2);
      }
      Files.delete(folder.resolve(file));
    }
  }

  /** transformers leaves it to the post-processor of tokenizer.json, too. */
  @Test
  void onlyThePostProcessorAddsTokens() throws IOException {
    copyTokenizer();
    for (String flags :
        new String[] {
          "", ", \"add_bos_token\": false", ", \"add_bos_token\": true, \"add_eos_token\": true"
        }) {
      Files.writeString(
          folder.resolve("tokenizer_config.json"),
          "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"%s}".formatted(flags));
      try (Tokenizer tokenizer = Tokenizers.open(folder)) {
        int[] ids = tokenizer.ids("hi there", true);
        assertThat(ids).startsWith(1).doesNotContain(2);
        assertThat(tokenizer.ids("hi there", false)).doesNotContain(1, 2);
      }
    }
  }

  @Test
  void aPromptHasOneBosAndNoEos() throws IOException {
    try (Tokenizer llama = Tokenizers.open(Golden.path("tokenizers", "llama2_like"));
        Tokenizer qwen = Tokenizers.open(Golden.path("tokenizers", "qwen_like"))) {
      assertThat(llama.prompt("hi")).isEqualTo(llama.ids("hi", true)).startsWith(1);
      assertThat(llama.ids("<s>hi", true)).startsWith(1, 1);
      assertThat(llama.prompt("<s>hi")).isEqualTo(llama.ids("<s>hi", false)).startsWith(1);
      assertThat(llama.prompt("<s><s>hi")).isEqualTo(llama.ids("<s><s>hi", false));
      assertThat(llama.prompt("")).containsExactly(1);
      assertThat(llama.prompt("hi</s>")).endsWith(2);
      assertThat(qwen.prompt("<|im_start|>hi")).isEqualTo(qwen.ids("<|im_start|>hi", false));
    }
    copyTokenizer();
    change(
        "\"single\": \\[",
        "\"single\": [{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\","
            + " \"type_id\": 0}}, {\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}], \"x\": [");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<s>\", \"eos_token\": \"<s>\"}");
    try (Tokenizer both = Tokenizers.open(folder)) {
      assertThat(both.ids("hi", true)).startsWith(1).endsWith(1);
      assertThat(both.prompt("hi")).isEqualTo(both.ids("<s>hi", false)).startsWith(1);
    }
  }

  /** What transformers 5 gave for the same files. */
  @Test
  void addsTokensThatTokenizerJsonLacks() throws IOException {
    for (String config :
        new String[] {
          "{\"added_tokens_decoder\": {\"1501\": {\"content\": \"<new>\", \"special\": true}}}",
          "{\"extra_special_tokens\": [\"<new>\"]}",
          "{\"additional_special_tokens\": [{\"content\": \"<new>\"}]}",
          "{\"extra_special_tokens\": {\"image_token\": \"<new>\"}}",
          "{\"eos_token\": \"<new>\"}"
        }) {
      copyTokenizer("qwen_like");
      Files.writeString(folder.resolve("tokenizer_config.json"), config);
      try (Tokenizer tokenizer = Tokenizers.open(folder)) {
        assertThat(tokenizer.ids("a<new>b", false)).as(config).hasSize(3).contains(1501);
        assertThat(tokenizer.ids("<tool_call><|im_end|>", false)).containsExactly(1500, 2);
        assertThat(tokenizer.decode(new int[] {1501}, false)).isEqualTo("<new>");
        assertThat(tokenizer.decode(new int[] {1501}, true)).isEmpty();
        assertThat(tokenizer.vocabSize()).isEqualTo(1502);
        if (config.contains("eos_token")) {
          assertThat(tokenizer.special().eos()).hasValue(1501);
        }
      }
      Files.delete(folder.resolve("tokenizer.json"));
    }
  }

  /** A pad token that no model has a row for would make the vocabulary too large for nothing. */
  @Test
  void aPadTokenThatIsNotThereIsNoToken() throws IOException {
    copyTokenizer("qwen_like");
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"pad_token\": \"[PAD]\"}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(tokenizer.special().pad()).isEmpty();
      assertThat(tokenizer.vocabSize()).isEqualTo(1501);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1600|<new>|gives token '<new>' the id 1600, but tokenizer.json lacks it and its next id is 1501",
        "700|<tool_call>|gives token '<tool_call>' the id 700, but in tokenizer.json it is 1500",
        "x|<new>|added_tokens_decoder has a key 'x', expected a token id"
      })
  void filesThatContradictEachOther(String id, String token, String message) throws IOException {
    copyTokenizer("qwen_like");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"added_tokens_decoder\": {\"%s\": {\"content\": \"%s\"}}}".formatted(id, token));
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(folder.resolve("tokenizer_config.json").toString())
        .hasMessageContaining(message);
  }

  @Test
  void addedTokensHaveTheIdsThatTheFileGives() throws IOException {
    copyTokenizer("qwen_like");
    change("\"id\": ?1500", "\"id\": 1700");
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining("added token '<tool_call>' has the id 1700")
        .hasMessageContaining("makes it [1500]");
  }

  /** Files saved by a training script often ask for both. */
  @Test
  void neitherTruncatesNorPads() throws IOException {
    copyTokenizer();
    int[] expected;
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      expected = tokenizer.ids("one two three four five six seven", true);
    }
    change(
        "\"truncation\": ?null",
        "\"truncation\": {\"direction\": \"Right\", \"max_length\": 3, \"strategy\": \"LongestFirst\", \"stride\": 0}");
    change(
        "\"padding\": ?null",
        "\"padding\": {\"strategy\": {\"Fixed\": 64}, \"direction\": \"Right\", \"pad_to_multiple_of\": null,"
            + " \"pad_id\": 0, \"pad_type_id\": 0, \"pad_token\": \"<unk>\"}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(expected).hasSizeGreaterThan(7);
      assertThat(tokenizer.ids("one two three four five six seven", true)).isEqualTo(expected);
      assertThat(tokenizer.encode("one two three four five six seven", true).ids())
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama2_like, BPE, does not accept it",
    "llama2_like, Prepend, normalizer has a part of type 'Unheard'; supported: BertNormalizer",
    "qwen_like, Split, 'pre_tokenizer has a part of type ''Unheard''; supported: BertPreTokenizer'",
    "llama2_like, TemplateProcessing, post_processor has a part of type 'Unheard'",
    "llama2_like, ByteFallback, decoder has a part of type 'Unheard'"
  })
  void refusesPartsOfUnknownKinds(String name, String kind, String message) throws IOException {
    copyTokenizer(name);
    change("\"type\": ?\"" + kind + "\"", "\"type\": \"Unheard\"");
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(folder.resolve("tokenizer.json").toString())
        .hasMessageContaining(message);
  }

  /** Gemma 3's files name a token for images that the embeddings of its text models lack. */
  @Test
  void aTokenWithoutAnEmbeddingIsRefusedWhereATextHoldsIt() throws IOException {
    copyTokenizer("qwen_like");
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"extra_special_tokens\": [\"<new>\"]}");
    try (Tokenizer tokenizer = Tokenizers.open(folder, 1501);
        Tokenizer all = Tokenizers.open(folder, 1502)) {
      assertThat(tokenizer.ids("a b<tool_call>", false))
          .isEqualTo(all.ids("a b<tool_call>", false));
      assertThat(tokenizer.encode("a b", true).ids()).isEqualTo(all.ids("a b", true));
      assertThatThrownBy(() -> tokenizer.ids("a<new>b", false))
          .isInstanceOf(InvalidText.class)
          .hasMessageContaining("'<new>' has the id 1501")
          .hasMessageContaining("only 1501 rows");
      assertThatThrownBy(() -> tokenizer.encode("a<new>b", false)).isInstanceOf(InvalidText.class);
      assertThatThrownBy(() -> tokenizer.prompt("<new>")).isInstanceOf(InvalidText.class);
      assertThat(all.ids("<new>", false)).containsExactly(1501);
    }
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"<new>\"}");
    assertThatThrownBy(() -> Tokenizers.open(folder, 1501))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining("the end-of-sequence token '<new>'");
  }

  /** Python refuses them too: "surrogates not allowed". */
  @Test
  void halvesOfCharactersAreRefused() {
    Map<String, String> places =
        Map.of(
            "cut \uD83D off", "\\ud83d, after 'cut '",
            "\uDE00 off", "\\ude00, at its start",
            "a long text with 👋 before \uDE00", "\\ude00, after '...ong text with 👋 before '",
            "👋\uD83D", "\\ud83d, after '👋'");
    try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "qwen_like"))) {
      places.forEach((text, place) -> {
        assertThatThrownBy(() -> tokenizer.ids(text, false))
            .isInstanceOf(InvalidText.class)
            .hasMessageContaining("lone surrogate " + place);
        assertThatThrownBy(() -> tokenizer.encode(text, true)).isInstanceOf(InvalidText.class);
      });
    }
  }

  private void copyTokenizer() throws IOException {
    copyTokenizer("llama2_like");
  }

  private void copyTokenizer(String name) throws IOException {
    Files.copy(Golden.path("tokenizers", name, "tokenizer.json"), folder.resolve("tokenizer.json"));
  }

  private void change(String pattern, String to) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    String json = Files.readString(file);
    String changed = json.replaceFirst(pattern, Matcher.quoteReplacement(to));
    assertThat(changed).as(pattern).isNotEqualTo(json);
    Files.writeString(file, changed);
  }
}
