package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.Exporter;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.safetensors.ChangedTensors;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.gguf.GgufType;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What is exported is the model that was trained. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ExportedModelTest {
  private Path folder = Path.of("");

  @BeforeAll
  void makeABase(@TempDir Path shared) throws IOException {
    folder = shared;
    TinyRun.in(folder);
    train("pretrain.yaml");
    train("qlora.yaml", "output_dir=" + folder.resolve("run"), "max_steps=2", "answer_eval=");
  }

  private Recipe recipe(String file, String... sets) {
    return Recipes.read(folder.resolve(file), List.of(sets));
  }

  private void train(String file, String... sets) {
    Nibble.silent()
        .tuner(recipe(file, sets))
        .train(new ExistingRunPolicy.Anew(), new StopRequest());
  }

  private static ExportFormat.Gguf gguf() {
    return new ExportFormat.Gguf(GgufType.F32, ExportFormat.Onto.TRAINED);
  }

  /** A recipe that starts from an adapter exports it in every form, as its run does. */
  @Test
  void anAdapterThatARecipeStartsFrom() throws IOException {
    Recipe continued =
        recipe(
            "qlora.yaml",
            "lora_model_dir=" + folder.resolve("run"),
            "lora_r=",
            "lora_dropout=",
            "output_dir=" + folder.resolve("unused"));
    Exporter byRecipe = Nibble.silent().exporter(ModelSource.untrained(continued));
    Exporter byRun = Nibble.silent().exporter(ModelSource.tuned(folder.resolve("run")));
    Path recipeOut = Files.createDirectories(folder.resolve("by-recipe"));
    Path runOut = Files.createDirectories(folder.resolve("by-run"));
    Map<String, ExportFormat> formats = new LinkedHashMap<>();
    formats.put("model.gguf", gguf());
    formats.put("lora.gguf", new ExportFormat.GgufLora(GgufType.F32));
    formats.put("merged", ExportFormat.Merged.standard());
    formats.put("adapter", new ExportFormat.Adapter(Optional.of("base")));
    formats.forEach((name, format) -> {
      byRecipe.write(format, recipeOut.resolve(name));
      byRun.write(format, runOut.resolve(name));
    });
    for (String file :
        List.of(
            "model.gguf",
            "lora.gguf",
            "merged/model.safetensors",
            "adapter/adapter_model.safetensors")) {
      assertThat(recipeOut.resolve(file)).hasSameBinaryContentAs(runOut.resolve(file));
    }
    Path base = folder.resolve("base.gguf");
    Nibble.silent().exporter(ModelSource.untrained(recipe("qlora.yaml"))).write(gguf(), base);
    assertThat(Files.mismatch(base, recipeOut.resolve("model.gguf"))).isNotNegative();
  }

  /** transformers 5 takes the checkpoint's head, and so does all that is written. */
  @Test
  void aHeadOfItsOwnBesideTiedEmbeddings() throws IOException {
    Path base = Files.createDirectories(folder.resolve("two-heads"));
    copyModel(base);
    ChangedTensors.copy(
        base.resolve("model.safetensors"),
        "model.embed_tokens.weight",
        "lm_head.weight",
        head -> {
          for (long i = 0; i < head.elements(); i++) {
            head.setFloat(i, -head.getFloat(i));
          }
        });
    String run = "output_dir=" + folder.resolve("two-heads-run");
    train("qlora.yaml", run, "base_model=" + base, "max_steps=2", "answer_eval=");
    Nibble.silent()
        .exporter(ModelSource.tuned(folder.resolve("two-heads-run")))
        .write(ExportFormat.Merged.standard(), folder.resolve("two-heads-merged"));
    assertThat(folder.resolve("two-heads-merged/config.json"))
        .content()
        .containsPattern("\"tie_word_embeddings\" *: *false");
    FourBitFormat nf4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);
    Path quantized = folder.resolve("two-heads-nf4");
    Nibble.silent()
        .quantize(
            new Quantizer.Request(
                base, quantized, false, nf4, Optional.empty(), DType.BF16, List.of(), 1 << 30, 0));
    assertThat(quantized.resolve("config.json"))
        .content()
        .containsPattern("\"tie_word_embeddings\" *: *false");
  }

  /** With logits that large, base and adapter look like any other model. */
  @Test
  void aMergeThatCannotBeCompared() throws IOException {
    Path run = folder.resolve("overflow");
    train("qlora.yaml", "output_dir=" + run, "max_steps=1", "answer_eval=");
    List<String> names = new ArrayList<>();
    try (SafetensorsFile file = Safetensors.open(run.resolve("adapter_model.safetensors"))) {
      names.addAll(file.names());
    }
    String name = names.stream().filter(n -> n.contains("down_proj.lora_B")).findFirst().get();
    ChangedTensors.change(
        run.resolve("adapter_model.safetensors"), name, t -> t.setFloat(0, 3e38f));
    Exporter exporter = Nibble.silent().exporter(ModelSource.tuned(run));
    Path out = folder.resolve("overflow-merged");
    assertThatThrownBy(() -> exporter.write(ExportFormat.Merged.standard(), out))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("not those of a trained one");
    assertThat(out).doesNotExist();
  }

  private void copyModel(Path to) throws IOException {
    try (var files = Files.list(folder.resolve("model"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
  }
}
