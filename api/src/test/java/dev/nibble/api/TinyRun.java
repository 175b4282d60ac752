package dev.nibble.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A folder with a recipe that trains in seconds: a model of two small layers, and forty rows. */
public final class TinyRun {
  private static final String CONFIG =
      """
      {"model_type": "llama", "vocab_size": 4096, "hidden_size": 64, "intermediate_size": 128,
       "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
       "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
       "bos_token_id": null, "eos_token_id": 0}
      """;

  private static final List<String> KINDS = List.of("animal", "plant", "stone", "star");

  private final Path folder;

  private TinyRun(Path folder) {
    this.folder = folder;
  }

  /** Writes the files. */
  public static TinyRun in(Path folder) throws IOException {
    Path base = Files.createDirectories(folder.resolve("base"));
    Path shipped = Path.of(System.getProperty("nibble.root"), "examples", "wordnet", "base");
    for (String name :
        List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")) {
      Files.copy(shipped.resolve(name), base.resolve(name));
    }
    Files.writeString(base.resolve("config.json"), CONFIG);
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      String kind = KINDS.get(i % KINDS.size());
      rows.append(
          "{\"instruction\": \"Which kind?\", \"input\": \"%s number %d\", \"output\": \"%s\"}%n"
              .formatted(kind, i, kind));
    }
    Files.writeString(folder.resolve("rows.jsonl"), rows);
    TinyRun run = new TinyRun(folder);
    run.write(
        "pretrain.yaml",
        """
        base_model: base
        adapter: none
        init_weights: random
        datasets: [{path: rows.jsonl, prompt: "{input}:\\n"}]
        sequence_len: 32
        micro_batch_size: 2
        max_steps: 6
        learning_rate: 3e-3
        gradient_checkpointing: false
        output_dir: %s
        """
            .formatted(folder.resolve("model")));
    run.write(
        "qlora.yaml",
        """
        base_model: model
        lora_r: 4
        lora_dropout: 0.1
        datasets: [{path: rows.jsonl, prompt: "{input}:\\n"}]
        val_set_size: 4
        sequence_len: 32
        micro_batch_size: 2
        gradient_accumulation_steps: 2
        max_steps: 8
        learning_rate: 1e-2
        warmup_ratio: 0.25
        eval_steps: 4
        save_steps: 3
        logging_steps: 1
        output_dir: %s
        answer_eval: {path: rows.jsonl, max_new_tokens: 4, limit: 8, baseline: true}
        """
            .formatted(folder.resolve("out")));
    return run;
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  /** A file of the folder. */
  public Path path(String name) {
    return folder.resolve(name);
  }
}
