package dev.nibble.api.fuzz;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.data.files.Datasets;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.checkpoint.CheckpointReading;
import dev.nibble.trainer.export.gguf.GgufLora;
import dev.nibble.trainer.export.gguf.GgufType;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The readers of files that come from elsewhere. Sound files lie in {@code fuzz/} by target. */
final class FuzzTargets {
  private static final int MOST_ROWS = 20_000;
  private static final String HARMLESS = "The cat sat.\n\n  42\u00e9\ud83d\ude00 <s>";
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4);
  private static final Map<String, Value> CONVERSATION =
      Map.of(
          "messages",
          Values.of(
              List.of(
                  Map.of("role", "user", "content", "How many legs?"),
                  Map.of("role", "assistant", "content", "Four."))),
          "bos_token",
          Values.of("<s>"),
          "eos_token",
          Values.of("</s>"),
          "add_generation_prompt",
          Values.of((Object) true));

  private FuzzTargets() {}

  static List<FuzzTarget> all() {
    return List.of(
        target("safetensors", "x.safetensors", true, FuzzTargets::safetensors),
        new FuzzTarget(
            "index",
            ShardedSafetensors.INDEX,
            true,
            seeds("index"),
            List.of(
                beside("model-00001-of-00002.safetensors", "safetensors/two.safetensors"),
                beside("model-00002-of-00002.safetensors", "safetensors/one.safetensors")),
            FuzzTargets::index),
        target("jsonl", "x.jsonl", true, FuzzTargets::rows),
        target("json", "x.json", true, FuzzTargets::rows),
        target("csv", "x.csv", true, FuzzTargets::rows),
        target("arrow", "x.arrow", false, FuzzTargets::rows),
        target("parquet", "x.parquet", false, FuzzTargets::rows),
        target("tokenizer", "tokenizer.json", true, FuzzTargets::tokenizer),
        new FuzzTarget(
            "tokenizer_config",
            "tokenizer_config.json",
            true,
            seeds("tokenizer_config"),
            List.of(beside("tokenizer.json", "tokenizer/small.json")),
            FuzzTargets::tokenizer),
        target("template", "chat_template.jinja", true, FuzzTargets::template),
        target("model_config", "config.json", true, ModelConfig::of),
        new FuzzTarget(
            "adapter_config",
            "adapter_config.json",
            true,
            seeds("adapter_config"),
            List.of(beside("adapter_model.safetensors", "safetensors/lora.safetensors")),
            PeftAdapter::open),
        new FuzzTarget(
            "gguf",
            "adapter_model.safetensors",
            true,
            seeds("safetensors"),
            List.of(
                beside("adapter_config.json", "adapter_config/llama-lora.json"),
                beside("config.json", "model_config/llama.json")),
            folder -> GgufLora.write(folder, folder, folder.resolve("x.gguf"), GgufType.F32)),
        target(
            "recipe", "x.yaml", true, folder -> Recipes.read(folder.resolve("x.yaml"), List.of())),
        new FuzzTarget(
            "trainer_state",
            "trainer_state.json",
            true,
            List.of(CheckpointReading.soundState()),
            List.of(),
            CheckpointReading::trainerState),
        new FuzzTarget(
            "optimizer",
            "optimizer.safetensors",
            true,
            List.of(CheckpointReading.soundOptimizer()),
            List.of(),
            CheckpointReading::optimizer));
  }

  static FuzzTarget named(String name) {
    return all().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private static FuzzTarget target(
      String name, String file, boolean text, FuzzTarget.Reader reader) {
    return new FuzzTarget(name, file, text, seeds(name), List.of(), reader);
  }

  private static Path resource(String name) {
    return Path.of(System.getProperty("nibble.root"), "api/src/test/resources/fuzz").resolve(name);
  }

  private static FuzzTarget.Beside beside(String name, String resource) {
    return new FuzzTarget.Beside(name, resource(resource));
  }

  private static List<byte[]> seeds(String name) {
    try (Stream<Path> files = Files.list(resource(name))) {
      List<byte[]> seeds = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        seeds.add(Files.readAllBytes(file));
      }
      return seeds;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void safetensors(Path folder) {
    try (SafetensorsFile file = Safetensors.open(folder.resolve("x.safetensors"))) {
      for (String name : file.names()) {
        file.tensor(name).bytes();
      }
    }
  }

  private static void index(Path folder) {
    try (ShardedSafetensors model = ShardedSafetensors.open(folder)) {
      for (String name : model.names()) {
        model.tensor(name).bytes();
      }
    }
  }

  private static void rows(Path folder) throws IOException {
    Path file;
    try (Stream<Path> files = Files.list(folder)) {
      file = files.findFirst().orElseThrow();
    }
    int rows = 0;
    try (RowCursor cursor = Datasets.open(file).open()) {
      while (rows < MOST_ROWS && cursor.advance()) {
        int _ = cursor.row().values().hashCode();
        rows++;
      }
    }
  }

  private static void tokenizer(Path folder) {
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      int[] ids = tokenizer.encode(HARMLESS, true).ids();
      tokenizer.ids("a".repeat(60) + "   \n\n b", false);
      tokenizer.decode(ids, false);
      tokenizer.decode(new int[] {0, 3, Math.max(0, tokenizer.vocabSize() - 1)}, true);
    }
  }

  private static void template(Path folder) throws IOException {
    byte[] source = Files.readAllBytes(folder.resolve("chat_template.jinja"));
    Template.parse("x", new String(source, StandardCharsets.UTF_8)).render(CONVERSATION, NOW);
  }
}
