package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.recipes.yaml.Origin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users are told about recipes that are wrong, word by word. */
class BadRecipeTest {
  private static final String GOOD =
      """
      base_model: model
      datasets:
        - path: rows.jsonl
      output_dir: out
      """;

  private static String errors(String text, String... sets) {
    try {
      Recipes.parse(Origin.file(Path.of("r.yaml")), text, List.of(sets));
    } catch (RecipeException e) {
      return String.valueOf(e.getMessage());
    }
    throw new AssertionError("expected an error for:\n" + text);
  }

  /** The good recipe and one more line, the fifth. */
  private static String with(String line) {
    return errors(GOOD + line + "\n");
  }

  @Test
  void unknownKeyNamesTheNearest() {
    assertThat(with("lora_rnk: 8"))
        .isEqualTo("r.yaml:5:1: lora_rnk: unknown key, did you mean lora_r?");
    assertThat(with("Learning-Rate: 1"))
        .isEqualTo("r.yaml:5:1: Learning-Rate: unknown key, did you mean learning_rate?");
    assertThat(with("xyzzy: 8")).isEqualTo("r.yaml:5:1: xyzzy: unknown key");
  }

  @ParameterizedTest
  @CsvSource({
    "per_device_train_batch_size, micro_batch_size",
    "model_name_or_path, base_model",
    "cutoff_len, sequence_len",
    "lora_rank, lora_r",
    "use_dora, peft_use_dora",
    "modules_to_save, lora_modules_to_save",
    "lr_scheduler_type, lr_scheduler",
    "use_bnb_nested_quant, bnb_4bit_use_double_quant",
    "iters, max_steps"
  })
  void namesOfOtherToolsAreUnderstood(String theirs, String ours) {
    assertThat(with(theirs + ": 1"))
        .isEqualTo("r.yaml:5:1: " + theirs + ": unknown key, did you mean " + ours + "?");
  }

  @Test
  void oppositesAndThingsWithoutAKeyAreExplained() {
    assertThat(with("mask_prompt: true"))
        .isEqualTo(
            "r.yaml:5:1: mask_prompt: unknown key, did you mean its opposite, train_on_inputs?");
    assertThat(with("resume_from_checkpoint: x"))
        .isEqualTo(
            "r.yaml:5:1: resume_from_checkpoint: unknown key: resuming is an option of the command; use nibble train --resume");
  }

  @Test
  void numbersInQuotesAreText() {
    assertThat(with("learning_rate: \"1e-4\""))
        .isEqualTo(
            "r.yaml:5:16: learning_rate: expected a number above 0, got text \"1e-4\"; remove the quotes");
    assertThat(with("lora_r: '8'"))
        .isEqualTo(
            "r.yaml:5:9: lora_r: expected a whole number of at least 1, got text \"8\"; remove the quotes");
  }

  @Test
  void wrongTypes() {
    assertThat(with("lora_r: 1.5"))
        .isEqualTo("r.yaml:5:9: lora_r: expected a whole number of at least 1, got 1.5");
    assertThat(with("lora_r: [8]"))
        .isEqualTo("r.yaml:5:9: lora_r: expected a whole number of at least 1, got a list");
    assertThat(with("lora_r: 99999999999"))
        .isEqualTo(
            "r.yaml:5:9: lora_r: expected a whole number of at least 1, got 99999999999, which is too large");
    assertThat(with("shuffle: yes"))
        .isEqualTo("r.yaml:5:10: shuffle: expected true or false, got text \"yes\"; write true");
    assertThat(with("shuffle: \"true\""))
        .isEqualTo(
            "r.yaml:5:10: shuffle: expected true or false, got text \"true\"; remove the quotes");
    assertThat(with("seed: abc"))
        .isEqualTo("r.yaml:5:7: seed: expected a whole number, got text \"abc\"");
    assertThat(with("lora_model_dir: [a]"))
        .isEqualTo("r.yaml:5:17: lora_model_dir: expected a path, got a list");
    assertThat(with("lora_target_modules: q_proj"))
        .isEqualTo(
            "r.yaml:5:22: lora_target_modules: expected all-linear, a list of module names, such as [q_proj, v_proj], or"
                + " a regular expression, got text \"q_proj\"; write a single name as [q_proj]");
    assertThat(with("lora_target_modules: '(q'"))
        .contains("is no regular expression: Unclosed group");
    assertThat(with("lora_exclude_modules: all-linear"))
        .contains("expected a list of module names");
    assertThat(with("lora_rank_pattern: {up_proj: 0}"))
        .isEqualTo(
            "r.yaml:5:30: lora_rank_pattern.up_proj: expected a whole number of at least 1, got 0");
    assertThat(with("lora_alpha_pattern: [1]"))
        .isEqualTo(
            "r.yaml:5:21: lora_alpha_pattern: expected module names or regular expressions with a number each, got a"
                + " list");
    assertThat(with("peft_init_lora_weights: corda"))
        .isEqualTo(
            "r.yaml:5:25: peft_init_lora_weights: expected one of true, false, gaussian, orthogonal, pissa,"
                + " pissa_niter_N (such as pissa_niter_4), olora, loftq, caldera, got text \"corda\"");
    assertThat(with("test_datasets: rows.jsonl"))
        .isEqualTo(
            "r.yaml:5:16: test_datasets: expected a list of datasets, each with a path and a type, got text"
                + " \"rows.jsonl\"");
    assertThat(with("answer_eval: rows.jsonl"))
        .isEqualTo(
            "r.yaml:5:14: answer_eval: expected a group of keys (path, type, split, …), got text \"rows.jsonl\"");
  }

  @Test
  void outOfRange() {
    assertThat(with("learning_rate: 0"))
        .isEqualTo("r.yaml:5:16: learning_rate: expected a number above 0, got 0");
    assertThat(with("learning_rate: -1e-4"))
        .isEqualTo("r.yaml:5:16: learning_rate: expected a number above 0, got -1e-4");
    assertThat(with("lora_dropout: 1.0"))
        .isEqualTo("r.yaml:5:15: lora_dropout: expected a number from 0 to below 1, got 1.0");
    assertThat(with("micro_batch_size: 0"))
        .isEqualTo("r.yaml:5:19: micro_batch_size: expected a whole number of at least 1, got 0");
    assertThat(with("val_set_size: 1.5"))
        .isEqualTo(
            "r.yaml:5:1: val_set_size: expected a part below 1 or a whole number of samples, got 1.5");
    assertThat(with("bnb_4bit_blocksize: 63"))
        .isEqualTo(
            "r.yaml:5:1: bnb_4bit_blocksize: expected 32, 64, 128, 256, 512, 1024, 2048 or 4096, got 63");
  }

  @Test
  void keysOfAnotherOptimizer() {
    assertThat(with("momentum: 0.9"))
        .isEqualTo("r.yaml:5:1: momentum: not used with optimizer: adamw; remove it");
    assertThat(with("optimizer: adamw_8bit\npaged_optimizer_memory: 1GB"))
        .isEqualTo(
            "r.yaml:6:1: paged_optimizer_memory: not used with optimizer: adamw_8bit; remove it");
    assertThat(with("optimizer: lion\nadam_epsilon: 1e-6"))
        .isEqualTo("r.yaml:6:1: adam_epsilon: not used with optimizer: lion; remove it");
    assertThat(with("optimizer: adafactor\nadam_beta2: 0.9"))
        .isEqualTo("r.yaml:6:1: adam_beta2: not used with optimizer: adafactor; remove it");
    assertThat(with("optimizer: paged_adamw\npaged_optimizer_memory: much"))
        .isEqualTo(
            "r.yaml:6:25: paged_optimizer_memory: expected a size such as 256MB or 1GiB, got text \"much\"");
  }

  @Test
  void choicesAreListed() {
    assertThat(with("adapter: dora"))
        .isEqualTo(
            "r.yaml:5:10: adapter: expected one of qlora, lora, ia3, vera, none, got text \"dora\"; did you mean lora?");
    assertThat(with("optimizer: adamw_9bit"))
        .isEqualTo(
            "r.yaml:5:12: optimizer: expected one of adamw, adamw_8bit, paged_adamw, paged_adamw_8bit, lion, adafactor,"
                + " sgd, got text \"adamw_9bit\"; did you mean adamw_8bit?");
    assertThat(with("lr_scheduler: cosin"))
        .isEqualTo(
            "r.yaml:5:15: lr_scheduler: expected one of constant, linear, cosine, got text \"cosin\"; did you mean"
                + " cosine?");
    assertThat(with("bnb_4bit_quant_type: int4"))
        .isEqualTo("r.yaml:5:22: bnb_4bit_quant_type: expected one of nf4, fp4, got text \"int4\"");
  }

  @Test
  void duplicatesNameTheFirst() {
    assertThat(with("output_dir: other"))
        .isEqualTo("r.yaml:5:1: output_dir: duplicate key, first given on line 4; remove one");
  }

  @Test
  void requiredKeys() {
    assertThat(errors("adapter: lora\n"))
        .isEqualTo(
            """
            r.yaml:1:1: base_model: required key is missing: a path
            r.yaml:1:1: datasets: required key is missing: a list of datasets, each with a path and a type
            r.yaml:1:1: output_dir: required key is missing: a path\
            """);
    assertThat(errors(GOOD.replace("- path: rows.jsonl", "- type: alpaca")))
        .isEqualTo("r.yaml:3:5: datasets.0.path: required key is missing: a path");
    assertThat(errors(GOOD.replace("output_dir: out", "output_dir:")))
        .isEqualTo("r.yaml:4:1: output_dir: required key is missing: a path");
    assertThat(errors("# nothing yet\n")).contains("base_model: required key is missing");
  }

  @Test
  void emptyLists() {
    assertThat(errors("base_model: m\noutput_dir: o\ndatasets: []\n"))
        .isEqualTo(
            "r.yaml:3:11: datasets: expected a list of datasets, each with a path and a type, got an empty list");
  }

  @Test
  void eightBitsAndTheAdapterMustAgree() {
    assertThat(with("load_in_8bit: true"))
        .isEqualTo(
            "r.yaml:5:1: load_in_8bit: adapter: qlora is LoRA on a base in four bits; write adapter: lora, or remove the"
                + " key");
    assertThat(with("adapter: none\nload_in_8bit: true"))
        .isEqualTo(
            "r.yaml:6:1: load_in_8bit: adapter: none trains every weight, which 8 bits cannot; write adapter: lora, or"
                + " remove the key");
    assertThat(with("adapter: lora\nint8_group_size: 64"))
        .isEqualTo("r.yaml:6:1: int8_group_size: only used with load_in_8bit: true; remove it");
    assertThat(with("adapter: lora\nload_in_8bit: true\nint8_group_size: 0"))
        .startsWith("r.yaml:7:18: int8_group_size: expected");
  }

  @Test
  void hqqAndTheAdapterMustAgree() {
    assertThat(with("hqq_bits: 4"))
        .startsWith(
            "r.yaml:5:1: hqq_bits: adapter: qlora is LoRA on a base in bitsandbytes' four bits");
    assertThat(with("adapter: none\nhqq_bits: 4"))
        .startsWith("r.yaml:6:1: hqq_bits: adapter: none trains every weight");
    assertThat(with("adapter: lora\nhqq_group_size: 64"))
        .isEqualTo("r.yaml:6:1: hqq_group_size: only used with hqq_bits; remove it");
    assertThat(with("adapter: lora\nhqq_bits: 5"))
        .isEqualTo("r.yaml:6:1: hqq_bits: expected 8, 4, 3, 2 or 1, got 5");
    assertThat(with("adapter: lora\nhqq_bits: 2\nhqq_group_size: 12"))
        .isEqualTo("r.yaml:7:1: hqq_group_size: expected a multiple of 8, got 12");
    assertThat(with("adapter: lora\nhqq_bits: 2\nload_in_8bit: true"))
        .contains("hqq_bits: load_in_8bit is true, too; remove one of them");
  }

  @Test
  void aPlanAndTheAdapterMustAgree(@TempDir Path folder) throws IOException {
    assertThat(with("quantization_plan: plan.json"))
        .contains("base_model: ", "model: there is no such folder");
    assertThat(with("adapter: none\nquantization_plan: plan.json"))
        .contains("r.yaml:6:1: quantization_plan: adapter: none trains every weight");
    assertThat(with("adapter: lora\nquantization_plan: plan.json\nload_in_8bit: true"))
        .contains("quantization_plan: load_in_8bit is true, too; remove one of them");
    assertThat(with("adapter: lora\nquantization_plan: plan.json\nhqq_bits: 4"))
        .contains("r.yaml:7:1: hqq_bits: quantization_plan is given, too; remove one of them");
    assertThat(
            errors(
                GOOD.replace(": model", ": " + folder)
                    + "adapter: lora\nquantization_plan: none.json\n"))
        .startsWith("r.yaml:")
        .contains("quantization_plan: ")
        .contains("none.json cannot be read: ");
  }

  @Test
  void fourBitsAndTheAdapterMustAgree() {
    assertThat(with("load_in_4bit: false"))
        .isEqualTo(
            "r.yaml:5:1: load_in_4bit: adapter: qlora needs a base in four bits; write true, or adapter: lora for a base"
                + " in full precision");
    assertThat(with("adapter: lora\nload_in_4bit: true"))
        .isEqualTo("r.yaml:6:1: load_in_4bit: LoRA on a base in four bits is adapter: qlora");
    assertThat(with("adapter: none\nload_in_4bit: true"))
        .isEqualTo(
            "r.yaml:6:1: load_in_4bit: adapter: none trains every weight, which four bits cannot; write false, or"
                + " adapter: qlora");
    assertThat(with("adapter: lora\nbnb_4bit_quant_type: nf4"))
        .isEqualTo("r.yaml:6:1: bnb_4bit_quant_type: only used with adapter: qlora; remove it");
  }

  @Test
  void kindsOfAdaptersThatContradictEachOther() {
    assertThat(with("peft_use_dora: true\nlora_bias: true"))
        .startsWith("r.yaml:6:1: lora_bias: ")
        .contains("does not go with DoRA");
    assertThat(with("lora_bias: true\npeft_init_lora_weights: olora"))
        .startsWith("r.yaml:5:1: lora_bias: ")
        .contains("not with olora");
    assertThat(with("adapter: lora\npeft_init_lora_weights: loftq"))
        .isEqualTo(
            "r.yaml:6:1: peft_init_lora_weights: loftq makes up for what quantisation loses; write adapter: qlora");
    assertThat(with("loftq_iter: 2"))
        .isEqualTo(
            "r.yaml:5:1: loftq_iter: only used with peft_init_lora_weights: loftq; remove it");
    assertThat(with("lora_r: 3\npeft_init_lora_weights: orthogonal"))
        .startsWith("r.yaml:6:1: peft_init_lora_weights: ")
        .contains("even rank, got 3");
    assertThat(with("peft_layers_pattern: [layers]"))
        .isEqualTo(
            "r.yaml:5:1: peft_layers_pattern: only used with peft_layers_to_transform; remove it");
    assertThat(with("lora_target_modules: '.*q_proj'\npeft_layers_to_transform: [1]"))
        .startsWith("r.yaml:6:1: peft_layers_to_transform: ")
        .contains("let the expression name the layers");
    assertThat(with("lora_rank_pattern: {'(q': 4}"))
        .startsWith("r.yaml:5:1: lora_rank_pattern: ")
        .contains("is no regular expression");
    assertThat(with("lora_model_dir: x\npeft_use_dora: true"))
        .isEqualTo(
            "r.yaml:6:1: peft_use_dora: is set by the adapter in lora_model_dir; remove this line");
    assertThat(with("lora_model_dir: x\nlora_r: 8"))
        .isEqualTo("r.yaml:6:1: lora_r: is set by the adapter in lora_model_dir; remove this line");
    assertThat(with("loraplus_lr_embedding: 1e-6"))
        .isEqualTo(
            "r.yaml:5:1: loraplus_lr_embedding: only used with loraplus_lr_ratio; remove it");
  }

  @Test
  void keysOfAnotherMethod() {
    assertThat(with("adapter: ia3\nlora_r: 8\nloraplus_lr_ratio: 2"))
        .isEqualTo(
            """
            r.yaml:6:1: lora_r: a key of LoRA, only used with adapter: lora or qlora; remove it, or write adapter: qlora
            r.yaml:7:1: loraplus_lr_ratio: a key of LoRA, only used with adapter: lora or qlora; remove it, or write adapter: qlora\
            """);
    assertThat(with("ia3_target_modules: [q_proj]"))
        .isEqualTo("r.yaml:5:1: ia3_target_modules: only used with adapter: ia3; remove it");
    assertThat(with("adapter: ia3\nvera_r: 8\npeft_layers_to_transform: [1]"))
        .isEqualTo(
            """
            r.yaml:6:1: vera_r: only used with adapter: vera; remove it
            r.yaml:7:1: peft_layers_to_transform: a key of LoRA, only used with adapter: lora or qlora; remove it, or write adapter: qlora\
            """);
    assertThat(with("adapter: ia3\nlora_model_dir: x\nia3_feedforward_modules: [q_proj]"))
        .isEqualTo(
            "r.yaml:7:1: ia3_feedforward_modules: is set by the adapter in lora_model_dir; remove this line");
    assertThat(with("adapter: ia3\nia3_feedforward_modules: [q_proj]"))
        .startsWith("r.yaml:6:1: ia3_feedforward_modules: ")
        .contains("[q_proj] must be among the target modules [k_proj, v_proj, down_proj]");
    assertThat(with("adapter: vera\nbnb_4bit_quant_type: nf4"))
        .isEqualTo("r.yaml:6:1: bnb_4bit_quant_type: only used with load_in_4bit: true; remove it");
  }

  @Test
  void adapterKeysNeedAnAdapter() {
    assertThat(with("adapter: none\npeft_use_dora: true\nloraplus_lr_ratio: 2"))
        .isEqualTo(
            """
            r.yaml:6:1: peft_use_dora: not used with adapter: none; remove it, or write adapter: qlora
            r.yaml:7:1: loraplus_lr_ratio: not used with adapter: none; remove it, or write adapter: qlora\
            """);
    assertThat(with("adapter: none\nlora_r: 8\nlora_alpha: 16"))
        .isEqualTo(
            """
            r.yaml:6:1: lora_r: not used with adapter: none; remove it, or write adapter: qlora
            r.yaml:7:1: lora_alpha: not used with adapter: none; remove it, or write adapter: qlora\
            """);
    assertThat(with("init_weights: random"))
        .isEqualTo(
            "r.yaml:5:1: init_weights: random weights are there to be trained: write adapter: none, or checkpoint here");
  }

  @Test
  void adaptersHaveOneElementType() {
    assertThat(with("save_dtype: bf16"))
        .isEqualTo(
            "r.yaml:5:1: save_dtype: only used with adapter: none, adapters are saved in 32 bits; remove it");
  }

  @Test
  void anEvaluationBeforeTrainingNeedsAValidationLoss() {
    assertThat(with("eval_on_start: true"))
        .isEqualTo(
            "r.yaml:5:1: eval_on_start: there is no validation loss; write val_set_size or test_datasets");
  }

  @Test
  void patienceNeedsAValidationLoss() {
    assertThat(with("early_stopping_patience: 2"))
        .contains(
            "early_stopping_patience: the validation loss is measured at the end only; write eval_steps")
        .contains(
            "early_stopping_patience: there is no validation loss; write val_set_size or test_datasets");
    assertThat(with("early_stopping_patience: 2\neval_steps: 5"))
        .contains("there is no validation loss")
        .doesNotContain("eval_steps");
  }

  @Test
  void keysThatContradict() {
    assertThat(with("warmup_ratio: 0.1\nwarmup_steps: 5"))
        .isEqualTo("r.yaml:6:1: warmup_steps: warmup_ratio is given too; keep one of them");
    assertThat(with("max_steps: 5\nwarmup_steps: 6"))
        .isEqualTo("r.yaml:6:1: warmup_steps: expected at most max_steps, 5, got 6");
    assertThat(with("val_set_size: 0.1\ntest_datasets: [{path: v.jsonl}]"))
        .isEqualTo("r.yaml:5:1: val_set_size: test_datasets is given too; keep one of them");
    assertThat(with("device: nd4j\nbf16: true"))
        .isEqualTo(
            "r.yaml:6:1: bf16: true needs device: cuda or cpu, this recipe says device: nd4j; remove it");
    assertThat(with("device: nd4j\ncublas: libcublas.so.12"))
        .isEqualTo(
            "r.yaml:6:1: cublas: a library needs device: cuda, this recipe says device: nd4j; remove it");
    assertThat(with("device: cpu\ndevice_memory: nd4j"))
        .isEqualTo(
            "r.yaml:6:1: device_memory: nd4j needs device: cuda, this recipe says device: cpu; remove it");
  }

  @Test
  void devicesAndTheirSwitches() {
    assertThat(with("device: gpu"))
        .isEqualTo(
            "r.yaml:5:9: device: expected auto, cpu, nd4j, cuda, or cuda:N for GPU number N, got text \"gpu\"; did you mean cuda?");
    assertThat(with("device: cuda:-1")).startsWith("r.yaml:5:9: device: expected auto, cpu,");
    assertThat(with("bf16: yes"))
        .isEqualTo("r.yaml:5:7: bf16: expected auto, true or false, got text \"yes\"; write true");
    assertThat(with("cublas: [a]")).startsWith("r.yaml:5:9: cublas: expected auto, none, or the");
    assertThat(with("kernels: cpu")).contains("did you mean device?");
  }

  @Test
  void datasetKeysBelongToTheirType() {
    assertThat(
            errors(
                GOOD.replace(
                    "rows.jsonl", "rows.jsonl\n    type: completion\n    prompt: \"{input}\"")))
        .isEqualTo("r.yaml:5:5: datasets.0.prompt: only used with type: alpaca; remove it");
    assertThat(errors(GOOD.replace("rows.jsonl", "rows.jsonl\n    field_text: body")))
        .isEqualTo("r.yaml:4:5: datasets.0.field_text: only used with type: completion; remove it");
    assertThat(errors(GOOD.replace("rows.jsonl", "rows.jsonl\n    prompt: \"Say:\"")))
        .isEqualTo(
            "r.yaml:4:13: datasets.0.prompt: the prompt template has neither {instruction} nor {input}, so every row would ask the same");
    assertThat(with("answer_eval: {path: t.jsonl, type: completion}"))
        .isEqualTo(
            "r.yaml:5:30: answer_eval.type: rows of type completion have no answers; use alpaca or a type with conversations");
  }

  @Test
  void chatKeysNeedConversations() {
    assertThat(with("mask_history: true"))
        .isEqualTo("r.yaml:5:1: mask_history: no dataset holds conversations; remove it");
    assertThat(with("chat_template: chatml\nchat_template_jinja: x"))
        .isEqualTo("r.yaml:6:1: chat_template_jinja: chat_template is given too; keep one of them");
    assertThat(with("chat_template: llama"))
        .isEqualTo(
            "r.yaml:5:16: chat_template: expected tokenizer_default, chatml, or the path of a .jinja file, got text \"llama\"");
    assertThat(with("answer_eval: {path: t.jsonl, roles: {user: [me, 3]}}"))
        .contains("answer_eval.roles.user: expected text, got 3");
    assertThat(with("answer_eval: {path: t.jsonl, roles_to_train: [user]}"))
        .contains("only used with conversations");
  }

  @Test
  void allErrorsAtOnce() {
    assertThat(
            errors(
                """
                base_modle: m
                adapter: qlora
                datasets:
                  - path: a.jsonl
                    tpye: alpaca
                  - type: shargpt
                learning_rate: "1e-4"
                lora_r: -1
                load_in_4bit: false
                output_dir: out
                """,
                "lora_dropout=2"))
        .isEqualTo(
            """
            r.yaml:1:1: base_modle: unknown key, did you mean base_model?
            r.yaml:1:1: base_model: required key is missing: a path
            r.yaml:5:5: datasets.0.tpye: unknown key, did you mean type?
            r.yaml:6:5: datasets.1.path: required key is missing: a path
            r.yaml:6:11: datasets.1.type: expected one of alpaca, prompt_completion, completion, chat_template, messages, sharegpt, got text "shargpt"; did you mean sharegpt?
            r.yaml:7:16: learning_rate: expected a number above 0, got text "1e-4"; remove the quotes
            r.yaml:8:9: lora_r: expected a whole number of at least 1, got -1
            r.yaml:9:1: load_in_4bit: adapter: qlora needs a base in four bits; write true, or adapter: lora for a base\
             in full precision
            --set lora_dropout=2: lora_dropout: expected a number from 0 to below 1, got 2\
            """);
  }

  @Test
  void optionsAreNamed() {
    assertThat(errors(GOOD, "lora_r=0"))
        .isEqualTo("--set lora_r=0: lora_r: expected a whole number of at least 1, got 0");
    assertThat(errors(GOOD, "lora_rnk=4"))
        .isEqualTo("--set lora_rnk=4: lora_rnk: unknown key, did you mean lora_r?");
    assertThat(errors(GOOD, "lora_r")).isEqualTo("--set lora_r: expected key=value");
    assertThat(errors(GOOD, "datasets.3.path=x"))
        .isEqualTo(
            "--set datasets.3.path=x: datasets.3.path: datasets has 1 entry (index 0); use 0 to change one or 1"
                + " to add one, not 3");
    assertThat(errors(GOOD, "output_dir.x=1"))
        .isEqualTo(
            "--set output_dir.x=1: output_dir.x: output_dir is text \"out\" and has no key x");
    assertThat(errors(GOOD, "lora_target_modules=[a"))
        .startsWith("--set lora_target_modules=[a: lora_target_modules: not valid YAML:");
  }

  @Test
  void textThatIsNotYaml() {
    assertThat(errors("base_model: [a\noutput_dir: b\n"))
        .isEqualTo("r.yaml:2:11: not valid YAML: a list lacks its ',' or ']'");
    assertThat(errors("base_model: a: b\n"))
        .isEqualTo(
            "r.yaml:1:14: not valid YAML: a key with a value cannot begin here; a text with ': ' in it needs quotes");
    assertThat(errors("a: {b: 1\nc: 2\n"))
        .endsWith(": not valid YAML: a mapping lacks its ',' or '}'");
    assertThat(errors("a: b\n c: d\n"))
        .endsWith(
            ": not valid YAML: a key with a value cannot begin here; a text with ': ' in it needs quotes");
    assertThat(errors("a:\n    b: 1\n  c: 2\n"))
        .endsWith(": not valid YAML: the line is not indented as the ones before it ask for");
    assertThat(errors("a: \"b\n")).endsWith(": not valid YAML: a text in quotes has no end");
    assertThat(errors("a: \"\\q\"\n"))
        .endsWith(": not valid YAML: a text in double quotes has a '\\' that means nothing");
    assertThat(errors("a: - b\n"))
        .endsWith(
            ": not valid YAML: an item with '- ' cannot begin here; items of a list begin on lines of their own");
    assertThat(errors("a: 1\nb\nc: 2\n"))
        .endsWith(": not valid YAML: expected ':' and a value after the key before this");
    assertThat(errors("a: @b\n"))
        .endsWith(
            ": not valid YAML: this character cannot begin a value; a text with it needs quotes");
    assertThat(errors("datasets:\n\t- path: a\n")).contains("YAML indents with spaces, not tabs");
    assertThat(errors("- a\n- b\n"))
        .isEqualTo("r.yaml:1:1: expected keys with values, such as base_model: …, got a list");
    assertThat(errors("a: &x 1\n"))
        .isEqualTo("r.yaml:1:4: anchors (&) and aliases (*) are not allowed; write the value out");
    assertThat(errors("a: !!str 1\n"))
        .isEqualTo("r.yaml:1:4: tags (!) are not allowed; write the value alone");
    assertThat(errors(GOOD + "---\nb: 1\n"))
        .isEqualTo("r.yaml:6:1: a second YAML document starts here; a recipe is one document");
  }

  @Test
  void filesThatAreNoRecipes(@TempDir Path folder) throws IOException {
    Path missing = folder.resolve("none.yaml");
    assertThatThrownBy(() -> Recipes.read(missing, List.of()))
        .isInstanceOf(RecipeException.class)
        .hasMessage(missing + ": no such file; expected a recipe");
    assertThatThrownBy(() -> Recipes.read(folder, List.of()))
        .hasMessage(folder + ": is a folder; expected a recipe, a file in YAML");
    Path binary =
        Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThatThrownBy(() -> Recipes.read(binary, List.of()))
        .hasMessage(binary + ": is not UTF-8 text; expected a recipe, a file in YAML");
  }
}
