package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.tokenizer.InvalidText;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.train.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tokenizer with one token more than the embedding has rows, as the released ones of Gemma 3 and
 * many with an added token have: it is used as in transformers, unless a text holds that token.
 */
class SurplusTokenTest {
  @TempDir Path folder;

  private Recipe recipe(String... sets) throws IOException {
    TinyRun.in(folder);
    Files.writeString(
        folder.resolve("base/tokenizer_config.json"),
        "{\"eos_token\": \"<|endoftext|>\", \"extra_special_tokens\": [\"<image>\"]}");
    return Recipes.read(folder.resolve("pretrain.yaml"), List.of(sets));
  }

  @Test
  void trainsAndGenerates() throws IOException {
    Recipe recipe = recipe("max_steps=2");
    assertThat(Nibble.silent().tuner(recipe).train()).isInstanceOf(Outcome.Finished.class);
    try (Model model = Nibble.silent().open(ModelSource.tuned(recipe))) {
      Sampling sampling = Sampling.greedy().upTo(2);
      model.generate(new Prompt.Text("star number 3:\n"), sampling);
      assertThatThrownBy(() -> model.generate(new Prompt.Text("see <image>"), sampling))
          .isInstanceOf(InvalidText.class)
          .hasMessageContaining("'<image>' has the id 4096")
          .hasMessageContaining("only 4096 rows");
    }
  }

  @Test
  void aRowThatHoldsItIsNamed() throws IOException {
    Recipe recipe = recipe();
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(
        rows,
        Files.readString(rows)
            + "{\"instruction\": \"\", \"input\": \"<image>\", \"output\": \"star\"}\n");
    assertThatThrownBy(() -> Nibble.silent().tuner(recipe).train())
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("row 41: the token '<image>' has the id 4096");
    assertThatThrownBy(() -> Nibble.silent().preview(recipe).read(1, row -> {}))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("row 41: the token '<image>'");
  }
}
