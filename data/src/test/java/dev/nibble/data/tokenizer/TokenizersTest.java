package dev.nibble.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
  void namesAnUnknownPart() throws IOException {
    copyTokenizer();
    Path file = folder.resolve("tokenizer.json");
    Files.writeString(
        file, Files.readString(file).replace("\"ByteFallback\"", "\"ByteFallahead\""));
    assertThatThrownBy(() -> Tokenizers.open(folder))
        .isInstanceOf(InvalidTokenizer.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("does not accept it");
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

  private void copyTokenizer() throws IOException {
    Files.copy(
        Golden.path("tokenizers", "llama2_like", "tokenizer.json"),
        folder.resolve("tokenizer.json"));
  }
}
