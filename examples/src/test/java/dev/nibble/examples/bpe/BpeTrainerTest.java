package dev.nibble.examples.bpe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
  private static final List<String> TEXTS =
      List.of(
          "the cat sat on the mat; the cats' mats aren't café mats",
          "a banana, an ananas: 123 bananas   and naïve nananana");
  private static final List<String> SPECIAL = List.of("<|endoftext|>", "<|pad|>");

  @TempDir private Path folder;

  private static Bpe train(int size, List<String> texts) {
    BpeTrainer trainer = new BpeTrainer();
    texts.forEach(trainer::add);
    return trainer.train(size, SPECIAL);
  }

  @Test
  void learnsWhatTheTokenizersLibraryLearns() {
    // BpeTrainer of tokenizers 0.23.2 on the same texts.
    assertThat(train(2 + 256 + 12, TEXTS).merges())
        .extracting(m -> m.left() + " " + m.right())
        .containsExactly(
            "a n", "a t", "an an", "h e", "m at", "t he", "Ġ c", "Ġ mat", "anan a", "b anana",
            "Ġ n", "Ġ an");
  }

  @Test
  void cutsTextAsGpt2Does() {
    assertThat(ByteLevel.pieces("it's 12 cafés,  \n\tok ..."))
        .containsExactly("it", "'s", " 12", " cafés", ",", "  \n", "\t", "ok", " ...");
    assertThat(ByteLevel.letters(" cafés")).isEqualTo("ĠcafÃ©s");
    assertThat(ByteLevel.alphabet()).hasSize(256).doesNotHaveDuplicates();
  }

  @Test
  void doesNotDependOnTheOrderOfTheTexts() {
    assertThat(train(300, TEXTS.reversed())).isEqualTo(train(300, TEXTS));
  }

  @Test
  void stopsWhenNoPairOccursTwice() {
    assertThat(train(1000, List.of("ab ab")).vocabulary()).hasSize(2 + 256 + 1).endsWith("ab");
  }

  @Test
  void refusesAVocabularyWithoutRoomForTheBytes() {
    assertThatThrownBy(() -> train(257, TEXTS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("257");
  }

  @Test
  void writesFilesThatTheTokenizersLibraryReads() throws IOException {
    Bpe bpe = train(300, TEXTS);
    TokenizerFiles.write(folder, bpe, "<|endoftext|>", "<|pad|>", 512);
    assertThat(folder.resolve("special_tokens_map.json")).content().contains("<|pad|>");
    assertThat(folder.resolve("tokenizer_config.json")).content().contains("512");
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"))) {
      for (String text : List.of(TEXTS.getFirst(), "never seen: 漢字 \n\t  🙂", "")) {
        assertThat(tokenizer.decode(tokenizer.encode(text).getIds())).isEqualTo(text);
      }
      assertThat(tokenizer.encode("banana<|endoftext|>").getTokens())
          .containsExactly("banana", "<|endoftext|>");
    }
  }
}
