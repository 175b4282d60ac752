package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.recipes.recipe.Recipe.Adapter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recipes as people have them for axolotl and for LLaMA-Factory. */
class ForeignRecipesTest {
  @TempDir private Path folder = Path.of("");
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void makeInputs() throws IOException {
    Files.createDirectories(folder.resolve("llama"));
  }

  private Path written(String text) throws IOException {
    return Files.writeString(folder.resolve("r.yaml"), text);
  }

  private static String stock(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ForeignRecipesTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private List<String> errors(String text) throws IOException {
    Path file = written(text);
    try {
      Recipes.read(file, List.of(), notes::add);
      return List.of();
    } catch (RecipeException e) {
      return e.problem()
          .lines()
          .map(line -> line.replaceFirst("^.*r\\.yaml:\\d+:\\d+: ", ""))
          .toList();
    }
  }

  /** Names of the keys that were ignored. */
  private List<String> ignored() {
    return notes.stream().map(n -> n.split(": ", 3)[1]).toList();
  }

  @Test
  void anAxolotlRecipeNeedsTheChangesThatItsErrorsName() throws IOException {
    String text = stock("axolotl.yaml").replace("BASE", folder.resolve("llama").toString());
    assertThat(errors(text))
        .containsExactly(
            "model_type: unknown key: config.json of the base model says it; remove it",
            "pad_to_sequence_len: unknown key: batches have no padding; remove it",
            "loss_watchdog_threshold: unknown key: a run stops by itself when the loss is not finite; remove it",
            "loss_watchdog_patience: unknown key: a run stops by itself when the loss is not finite; remove it",
            "evals_per_epoch: unknown key: evaluations are counted in steps; write eval_steps: the steps of an epoch"
                + " divided by this number (nibble estimate says how many steps a run has)",
            "saves_per_epoch: unknown key: checkpoints are counted in steps; write save_steps: the steps of an epoch"
                + " divided by this number (nibble estimate says how many steps a run has)");

    Recipe recipe =
        Recipes.read(
            written(
                text.lines()
                        .filter(line ->
                            !line.matches(
                                "(model_type|pad_to|evals_per|saves_per|loss_watchdog).*"))
                        .reduce("", (a, b) -> a + b + "\n")
                    + "eval_steps: 50\nsave_steps: 100\n"),
            List.of(),
            notes::add);
    assertThat(recipe.model().adapter()).isEqualTo(Adapter.QLORA);
    assertThat(ignored())
        .contains(
            "tokenizer_type",
            "strict",
            "hub_model_id",
            "dataset_prepared_path",
            "eval_sample_packing",
            "lora_target_linear",
            "lora_fan_in_fan_out",
            "wandb_project",
            "wandb_log_model",
            "group_by_length",
            "tf32",
            "resume_from_checkpoint",
            "local_rank",
            "xformers_attention",
            "flash_attention",
            "deepspeed",
            "fsdp_config",
            "special_tokens")
        .doesNotContain("bf16", "lora_target_modules");
    assertThat(notes)
        .contains(
            folder.resolve("r.yaml") + ":7:1: strict: ignored: recipes are always read strictly");
  }

  @Test
  void aLlamaFactoryRecipeIsToldTheNamesHere() throws IOException {
    List<String> errors = errors(stock("llama-factory.yaml"));
    assertThat(errors)
        .contains(
            "model_name_or_path: unknown key, did you mean base_model?",
            "finetuning_type: unknown key, did you mean adapter? (lora is lora or qlora here, full is none)",
            "quantization_bit: unknown key, did you mean load_in_4bit? (4 is true, or adapter: qlora alone)",
            "lora_rank: unknown key, did you mean lora_r?",
            "lora_target: unknown key, did you mean lora_target_modules? (all is written all-linear)",
            "dataset: unknown key, did you mean datasets? (a list of entries with path and type)",
            "template: unknown key, did you mean chat_template? (left out, it is the model's own)",
            "cutoff_len: unknown key, did you mean sequence_len?",
            "max_samples: unknown key: each entry of datasets has a limit of its own; write limit there",
            "per_device_train_batch_size: unknown key, did you mean micro_batch_size?",
            "trust_remote_code: unknown key: no code is ever loaded from a model; remove it",
            "val_size: unknown key, did you mean val_set_size?");
    assertThat(errors).noneMatch(e -> e.endsWith("unknown key"));
    assertThat(errors.toString())
        .doesNotContain(
            "stage:",
            "do_train",
            "overwrite_cache",
            "workers",
            "plot_loss",
            "save_only_model",
            "report_to",
            "ddp_timeout",
            "resume_from",
            "per_device_eval",
            "eval_strategy",
            "quantization_method",
            "output_dir");
  }

  @Test
  void aValueThatAsksForSomethingIsAnError() throws IOException {
    String good = "base_model: llama\ndatasets: [{path: rows.jsonl}]\noutput_dir: out\n";
    assertThat(errors(good + "wandb_project:\ngroup_by_length: false\nrl:\n")).isEmpty();
    assertThat(ignored()).containsExactly("wandb_project", "group_by_length", "rl");
    assertThat(errors(good + "wandb_project: mine\ngroup_by_length: true\nrl: dpo\nxyzzy:\n"))
        .containsExactly(
            "wandb_project: unknown key: metrics are in metrics.jsonl and loss.svg of the output folder; remove it",
            "group_by_length: unknown key: batches have no padding; remove it",
            "rl: unknown key: only supervised fine-tuning is offered; remove it",
            "xyzzy: unknown key");
    assertThat(errors(good + "special_tokens: {pad_token: <pad>}\nlora_target_linear: true\n"))
        .isEmpty();
    assertThat(
            errors(
                good
                    + "special_tokens: {eos_token: <e>}\nlora_target_linear: true\nlora_target_modules: [q_proj]\n"))
        .containsExactly(
            "special_tokens: unknown key: the base model's tokenizer has all tokens; add tokens to the model's own files",
            "lora_target_linear: unknown key, did you mean lora_target_modules? (all-linear is its default)");
    assertThat(errors(good.replace("rows.jsonl", "rows.jsonl, ds_type: json"))).isEmpty();
  }

  @Test
  void idsOfTheHubAndUrlsSayHowToGetTheFiles() throws IOException {
    String good = "base_model: llama\ndatasets: [{path: rows.jsonl}]\noutput_dir: out\n";
    assertThat(errors(good.replace(": llama", ": meta-llama/Llama-3.2-1B")))
        .singleElement()
        .asString()
        .startsWith("base_model: there is no " + folder.resolve("meta-llama/Llama-3.2-1B"))
        .contains("hf download meta-llama/Llama-3.2-1B --local-dir Llama-3.2-1B");
    assertThat(errors(good.replace("rows.jsonl", "tatsu-lab/alpaca")))
        .singleElement()
        .asString()
        .contains(
            "datasets.0.path: there is no",
            "hf download --repo-type dataset tatsu-lab/alpaca --local-dir alpaca");
    assertThat(errors(good.replace("rows.jsonl", "s3://bucket/rows.jsonl")))
        .containsExactly(
            "datasets.0.path: s3://bucket/rows.jsonl is a URL, and Nibble reads and writes local files only; expected a path");
    // Paths that only look like ids.
    assertThat(errors(good.replace("rows.jsonl", "rows/part.jsonl"))).isEmpty();
    Files.createDirectories(folder.resolve("models"));
    assertThat(errors(good.replace(": llama", ": models/missing"))).isEmpty();
    assertThatThrownBy(() -> Recipes.read(folder.resolve("none.yaml"), List.of()))
        .hasMessageContaining("no such file");
  }
}
