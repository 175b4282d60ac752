package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.samples.ExcessLength;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recipes built in code are the recipes of files. */
class RecipeBuilderTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void isTheRecipeOfAFile() throws Exception {
    Path base = Path.of(System.getProperty("nibble.root"), "examples", "wordnet", "base");
    Path file = folder.resolve("recipe.yaml");
    Files.writeString(
        file,
        """
        base_model: %s
        adapter: qlora
        lora_r: 16
        datasets: [{path: %s, type: alpaca, limit: 5, prompt: "{input}\\n{instruction}\\n"}]
        sequence_len: 64
        micro_batch_size: 2
        gradient_accumulation_steps: 3
        max_steps: 7
        learning_rate: 3e-3
        optimizer: adamw_8bit
        excess_length_strategy: truncate
        lora_target_modules: [q_proj, v_proj]
        output_dir: %s
        """
            .formatted(base.toAbsolutePath(), folder.resolve("rows.jsonl"), folder.resolve("out")));
    Recipe built =
        RecipeBuilder.on(base)
            .qlora(16)
            .dataset(
                folder.resolve("rows.jsonl"),
                "alpaca",
                Map.of("limit", 5, "prompt", "{input}\n{instruction}\n"))
            .sequenceLength(64)
            .batch(2, 3)
            .steps(7)
            .learningRate(3e-3)
            .set("optimizer", "adamw_8bit")
            .set("excess_length_strategy", ExcessLength.TRUNCATE)
            .set("lora_target_modules", List.of("q_proj", "v_proj"))
            .output(folder.resolve("out"))
            .build();
    assertThat(built).isEqualTo(Recipes.read(file, List.of()));
  }

  @Test
  void tellsAllThatIsWrong() {
    assertThatThrownBy(() -> RecipeBuilder.on(folder).lora(0).set("sequence_length", 5).build())
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("recipe built in code: lora_r")
        .hasMessageContaining("sequence_len")
        .hasMessageContaining("datasets");
  }
}
