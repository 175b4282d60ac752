package dev.nibble.recipes.schema;

import dev.nibble.errors.NearestName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names that other fine-tuning tools use for our keys: axolotl, transformers and TRL,
 * LLaMA-Factory, torchtune, LitGPT, mlx-lm, Unsloth. The error for such a name gives ours.
 */
final class OtherNames {
  private OtherNames() {}

  private static final Map<String, String> OURS =
      Map.ofEntries(
          Map.entry("model", "base_model"),
          Map.entry("model_name_or_path", "base_model"),
          Map.entry("checkpoint_dir", "base_model"),
          Map.entry("base_model_config", "base_model"),
          Map.entry("finetuning_type", "adapter"),
          Map.entry("fine_tune_type", "adapter"),
          Map.entry("training_type", "adapter"),
          Map.entry("use_peft", "adapter"),
          Map.entry("quantize", "load_in_4bit"),
          Map.entry("quantization_bit", "load_in_4bit"),
          Map.entry("bits", "load_in_4bit"),
          Map.entry("quantization_type", "bnb_4bit_quant_type"),
          Map.entry("quant_type", "bnb_4bit_quant_type"),
          Map.entry("double_quantization", "bnb_4bit_use_double_quant"),
          Map.entry("double_quant", "bnb_4bit_use_double_quant"),
          Map.entry("use_bnb_nested_quant", "bnb_4bit_use_double_quant"),
          Map.entry("lora_rank", "lora_r"),
          Map.entry("rank", "lora_r"),
          Map.entry("r", "lora_r"),
          Map.entry("alpha", "lora_alpha"),
          Map.entry("lora_target", "lora_target_modules"),
          Map.entry("lora_target_linear", "lora_target_modules"),
          Map.entry("target_modules", "lora_target_modules"),
          Map.entry("lora_attn_modules", "lora_target_modules"),
          Map.entry("use_rslora", "peft_use_rslora"),
          Map.entry("use_dora", "peft_use_dora"),
          Map.entry("rank_pattern", "lora_rank_pattern"),
          Map.entry("alpha_pattern", "lora_alpha_pattern"),
          Map.entry("exclude_modules", "lora_exclude_modules"),
          Map.entry("layers_to_transform", "peft_layers_to_transform"),
          Map.entry("layers_pattern", "peft_layers_pattern"),
          Map.entry("modules_to_save", "lora_modules_to_save"),
          Map.entry("additional_target", "lora_modules_to_save"),
          Map.entry("init_lora_weights", "peft_init_lora_weights"),
          Map.entry("neftune_alpha", "neftune_noise_alpha"),
          Map.entry("noisy_embedding_alpha", "neftune_noise_alpha"),
          Map.entry("adapter_name_or_path", "lora_model_dir"),
          Map.entry("resume_adapter_file", "lora_model_dir"),
          Map.entry("template", "chat_template"),
          Map.entry("custom_chat_template", "chat_template"),
          Map.entry("train_on_last_turn_only", "mask_history"),
          Map.entry("dataset", "datasets"),
          Map.entry("dataset_name", "datasets"),
          Map.entry("data", "datasets"),
          Map.entry("train_on_prompt", "train_on_inputs"),
          Map.entry("train_on_input", "train_on_inputs"),
          Map.entry("train_on_source", "train_on_inputs"),
          Map.entry("shuffle_merged_datasets", "shuffle"),
          Map.entry("max_seq_len", "sequence_len"),
          Map.entry("max_seq_length", "sequence_len"),
          Map.entry("max_length", "sequence_len"),
          Map.entry("cutoff_len", "sequence_len"),
          Map.entry("packing", "sample_packing"),
          Map.entry("packed", "sample_packing"),
          Map.entry("neat_packing", "sample_packing"),
          Map.entry("val_size", "val_set_size"),
          Map.entry("test_split_size", "val_set_size"),
          Map.entry("val_split_fraction", "val_set_size"),
          Map.entry("eval_dataset_size", "val_set_size"),
          Map.entry("per_device_train_batch_size", "micro_batch_size"),
          Map.entry("batch_size", "micro_batch_size"),
          Map.entry("train_batch_size", "micro_batch_size"),
          Map.entry("grad_accumulation_steps", "gradient_accumulation_steps"),
          Map.entry("num_train_epochs", "num_epochs"),
          Map.entry("epochs", "num_epochs"),
          Map.entry("iters", "max_steps"),
          Map.entry("optim", "optimizer"),
          Map.entry("lr", "learning_rate"),
          Map.entry("lr_scheduler_type", "lr_scheduler"),
          Map.entry("lr_schedule", "lr_scheduler"),
          Map.entry("num_warmup_steps", "warmup_steps"),
          Map.entry("lr_warmup_steps", "warmup_steps"),
          Map.entry("warmup", "warmup_steps"),
          Map.entry("beta1", "adam_beta1"),
          Map.entry("beta2", "adam_beta2"),
          Map.entry("clip_grad_norm", "max_grad_norm"),
          Map.entry("gradient_clip_val", "max_grad_norm"),
          Map.entry("grad_checkpoint", "gradient_checkpointing"),
          Map.entry("enable_activation_checkpointing", "gradient_checkpointing"),
          Map.entry("steps_per_eval", "eval_steps"),
          Map.entry("run_val_every_n_steps", "eval_steps"),
          Map.entry("save_every", "save_steps"),
          Map.entry("save_every_n_steps", "save_steps"),
          Map.entry("steps_per_report", "logging_steps"),
          Map.entry("log_every_n_steps", "logging_steps"),
          Map.entry("out_dir", "output_dir"),
          Map.entry("adapter_path", "output_dir"),
          Map.entry("random_seed", "seed"),
          Map.entry("kernels", "device"),
          Map.entry("device_map", "device"),
          Map.entry("bfloat16", "bf16"),
          Map.entry("field", "field_text"),
          Map.entry("dataset_text_field", "field_text"),
          Map.entry("format_type", "type"),
          Map.entry("dataset_format", "type"),
          Map.entry("data_files", "path"),
          Map.entry("train_on_split", "split"),
          Map.entry("conversation", "chat_template"),
          Map.entry("message_field_system", "roles"),
          Map.entry("prompt_template", "prompt"),
          Map.entry("prompt_style", "prompt"));

  /** Names that mean the opposite of ours. */
  private static final Map<String, String> OPPOSITES =
      Map.of(
          "mask_prompt", "train_on_inputs",
          "completion_only_loss", "train_on_inputs",
          "train_on_completions", "train_on_inputs",
          "disable_gradient_checkpointing", "gradient_checkpointing");

  /** What values of such a key become, where that is not plain. */
  private static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("lora_target", "all is written all-linear"),
          Map.entry("lora_target_linear", "all-linear is its default"),
          Map.entry("finetuning_type", "lora is lora or qlora here, full is none"),
          Map.entry("quantization_bit", "4 is true, or adapter: qlora alone"),
          Map.entry("template", "left out, it is the model's own"),
          Map.entry("dataset", "a list of entries with path and type"),
          Map.entry("conversation", "the model's own template is the default"));

  /** Advice about an unknown key; starts with a separator. */
  static String advice(String written, List<String> known) {
    Optional<String> ours = Optional.ofNullable(OURS.get(written)).filter(known::contains);
    if (ours.isPresent()) {
      String values = Optional.ofNullable(VALUES.get(written)).map(v -> " (" + v + ")").orElse("");
      return ", did you mean " + ours.get() + "?" + values;
    }
    Optional<String> opposite = Optional.ofNullable(OPPOSITES.get(written)).filter(known::contains);
    if (opposite.isPresent()) {
      return ", did you mean its opposite, " + opposite.get() + "?";
    }
    Optional<String> foreign = ForeignKeys.advice(written);
    if (foreign.isPresent()) {
      return ": " + foreign.get();
    }
    return NearestName.among(known, written).map(n -> ", did you mean " + n + "?").orElse("");
  }
}
