package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.Ia3Spec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.adapters.VeraSpec;
import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.yaml.Origin;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RecipesTest {
  private static final String SMALL =
      """
      base_model: model
      datasets: [{path: rows.jsonl}]
      output_dir: out
      """;

  private static final String FULL =
      """
      base_model: ../models/llama
      adapter: qlora
      bnb_4bit_quant_type: fp4
      bnb_4bit_use_double_quant: false
      bnb_4bit_blocksize: 128
      lora_r: 8
      lora_alpha: 12.5
      lora_dropout: 0.05
      lora_target_modules: [q_proj, v_proj]
      peft_use_rslora: true
      peft_use_dora: true
      lora_bias: false
      lora_rank_pattern: {down_proj: 16, "layers.0.*": 4}
      lora_alpha_pattern: {up_proj: 2.5}
      lora_exclude_modules: ".*[.]9[.].*"
      peft_layers_to_transform: [0, 2]
      peft_layers_pattern: [layers]
      lora_modules_to_save: [lm_head, norm]
      peft_init_lora_weights: loftq
      loftq_iter: 3
      datasets:
        - path: a.parquet
          split: train
          limit: 5000
          prompt: "{input}\\nCategory: "   # a comment
          field_input: "the \\"input\\""
        - {path: b.jsonl, type: completion, field_text: body}
        - {path: 'c d.jsonl', type: messages, field_messages: turns}
        - path: e.jsonl
          type: sharegpt
          roles: {assistant: [bot, "the model"], user: me}
          roles_to_train: [assistant, tool]
      chat_template: own.jinja
      chat_template_kwargs: {enable_thinking: false, date_string: 1 May, n: 3, x: [1.5, a], y: {z: ""}}
      mask_history: true
      test_datasets: [{path: v.csv}]
      sequence_len: 2048
      sample_packing: false
      excess_length_strategy: truncate
      train_on_inputs: true
      shuffle: false
      micro_batch_size: 2
      gradient_accumulation_steps: 4
      num_epochs: 3
      max_steps: 100
      optimizer: adamw
      learning_rate: 1e-4
      lr_scheduler: linear
      warmup_steps: 10
      weight_decay: 0.01
      adam_beta2: 0.95
      adam_epsilon: 1e-6
      loraplus_lr_ratio: 16
      loraplus_lr_embedding: 1e-5
      max_grad_norm: 0.3
      gradient_checkpointing: false
      neftune_noise_alpha: 5
      eval_on_start: true
      eval_steps: 50
      early_stopping_patience: 3
      save_steps: 25
      save_total_limit: 3
      logging_steps: 1
      output_dir: out
      overwrite_output_dir: true
      seed: -7
      device: cuda:1
      bf16: false
      cublas: /opt/libcublas.so.12
      device_memory: driver
      debug: sync
      threads: 2
      answer_eval: {path: t.jsonl, max_new_tokens: 8, limit: 100, baseline: true}
      """;

  private static Recipe parse(String text, String... sets) {
    return Recipes.parse(Origin.file(Path.of("/r/sub/r.yaml")), text, List.of(sets));
  }

  private static LoraSpec spec(Recipe r) {
    return (LoraSpec) described(r);
  }

  private static AdapterSpec described(Recipe r) {
    return r.model().adapterSource().flatMap(Recipe.AdapterSource::described).orElseThrow();
  }

  @Test
  void adaptersOfOtherMethods() {
    Recipe ia3 = parse(SMALL + "adapter: ia3\nia3_target_modules: [q_proj, o_proj, down_proj]");
    assertThat(described(ia3))
        .isEqualTo(
            new Ia3Spec(
                TargetModules.named(List.of("q_proj", "o_proj", "down_proj")),
                Optional.of(Ia3Spec.DEFAULT_FEEDFORWARD),
                List.of()));
    assertThat(ia3.model().quantization()).isEmpty();
    Recipe vera =
        parse(
            SMALL
                + "adapter: vera\nload_in_4bit: true\nvera_r: 64\nvera_projection_prng_key: 3\npeft_layers_to_transform: [1]");
    assertThat(described(vera))
        .isEqualTo(
            new VeraSpec(
                64,
                0,
                0.1,
                3,
                true,
                TargetModules.allLinear().in(new TargetModules.Layers(List.of(1), List.of())),
                List.of()));
    assertThat(vera.model().quantization()).isPresent();
    for (Recipe r : List.of(ia3, vera)) {
      assertThat(Recipes.parse(Origin.file(Path.of("/r/x.yaml")), Recipes.resolved(r), List.of()))
          .isEqualTo(r);
    }
  }

  @Test
  void defaults() {
    Recipe r = parse(SMALL);
    assertThat(r.model().adapter()).isEqualTo(Adapter.QLORA);
    assertThat(r.model().quantization()).contains(new FourBitFormat(QuantType.NF4, 64, true));
    assertThat(spec(r).ranks().alpha()).isEqualTo(32);
    assertThat(spec(r).targets()).isEqualTo(TargetModules.allLinear());
    assertThat(r.training().epochs()).contains(1);
    assertThat(r.data().train().getFirst().format()).isEqualTo(Format.ALPACA);
    assertThat(r.evaluation().answers()).isEmpty();
  }

  @Test
  void stepsAloneLimitTheRun() {
    Recipe r = parse(SMALL + "max_steps: 7\n");
    assertThat(r.training().epochs()).isEmpty();
    assertThat(r.training().maxSteps()).contains(7);
  }

  @Test
  void values() {
    Recipe r = parse(FULL);
    assertThat(r.model().base()).isEqualTo(Path.of("/r/models/llama"));
    LoraSpec spec = spec(r);
    assertThat(spec.ranks().rankPattern().keySet()).containsExactly("down_proj", "layers.0.*");
    assertThat(spec.ranks().alphaPattern()).containsEntry("up_proj", 2.5);
    assertThat(spec.targets().excluded()).contains(new ModuleChoice.Matching(".*[.]9[.].*"));
    assertThat(spec.targets().layers().orElseThrow().indices()).containsExactly(0, 2);
    assertThat(spec.start()).isEqualTo(new LoraStart.Loftq(3));
    assertThat(r.optimization().learningRate().loraPlus()).contains(new Recipe.LoraPlus(16, 1e-5));
    assertThat(r.training().embeddingNoise()).isEqualTo(5);
    assertThat(spec(r).targets().chosen())
        .isEqualTo(new ModuleChoice.Named(List.of("q_proj", "v_proj")));
    assertThat(r.data().train())
        .extracting(d -> d.path().toString())
        .containsExactly(
            "/r/sub/a.parquet", "/r/sub/b.jsonl", "/r/sub/c d.jsonl", "/r/sub/e.jsonl");
    assertThat(r.data().train().getLast().messages().fields().roles())
        .containsEntry("bot", "assistant")
        .containsEntry("the model", "assistant")
        .containsEntry("me", "user")
        .containsEntry("gpt", "assistant");
    assertThat(r.data().chat().template())
        .contains(new TemplateChoice.InFile(Path.of("/r/sub/own.jinja")));
    assertThat(r.data().chat().variables()).containsEntry("enable_thinking", false);
    assertThat(r.data().chat().lastOnly()).isTrue();
    assertThat(r.data().train().getFirst().prompt())
        .contains(new PromptTemplate("{input}\nCategory: "));
    assertThat(r.data().train())
        .extracting(Recipe.Dataset::limit)
        .containsExactly(Optional.of(5000), Optional.empty(), Optional.empty(), Optional.empty());
    assertThat(r.evaluation().answers().orElseThrow().dataset().limit()).contains(100);
    assertThat(r.output().overwrite()).isTrue();
    assertThat(r.optimization().learningRate().peak()).isEqualTo(1e-4);
    assertThat(r.training().seed()).isEqualTo(-7);
    assertThat(r.output().folder()).isEqualTo(Path.of("out").toAbsolutePath());
  }

  @Test
  void theTestSetIsAskedAsTheTrainingDataWas() {
    assertThat(parse(FULL).evaluation().answers().orElseThrow().dataset().prompt())
        .contains(new PromptTemplate("{input}\nCategory: "));
  }

  @Test
  void resolvedReadsBackEqualFromAnywhere() {
    for (Recipe recipe :
        List.of(
            parse(SMALL),
            parse(FULL),
            parse(
                SMALL
                    + "adapter: none\ninit_weights: random\nsave_dtype: bf16\nwarmup_ratio: 0.03\n"),
            parse(SMALL, "datasets.0.prompt=\"{input} \\u0007 \\\" \\\\ é 漢 \\t: #\""),
            parse(SMALL + "lora_model_dir: /adapters/one\n"),
            parse(SMALL + "lora_target_modules: '.*[.](q|k)_proj'\n"),
            parse(SMALL + "adapter: lora\nload_in_8bit: true\nint8_group_size: 64\n"),
            parse(
                SMALL
                    + "adapter: lora\nhqq_bits: 1\nhqq_group_size: 8\nhqq_axis: outputs\nhqq_quantized_metadata: true\n"),
            parse(SMALL + "peft_init_lora_weights: false\n"),
            parse(SMALL + "chat_template: tokenizer_default\n"),
            parse(SMALL + "chat_template_jinja: |\n  {{- messages }}\n   x\n"),
            parse(SMALL, "output_dir='true'", "base_model='12'"))) {
      String text = Recipes.resolved(recipe);
      assertThat(Recipes.parse(Origin.file(Path.of("/elsewhere/x.yaml")), text, List.of()))
          .as(text)
          .isEqualTo(recipe);
    }
  }

  @Test
  void everyKeyThatAppliesIsInTheResolvedRecipe() {
    String text = Recipes.resolved(parse(FULL));
    RecipeKeys.SCHEMA.keys().stream()
        .map(k -> k.name())
        .filter(name -> !name.matches("(ia3|vera|hqq)_.*"))
        .filter(name ->
            !List.of(
                    "warmup_ratio",
                    "save_dtype",
                    "lora_model_dir",
                    "chat_template_jinja",
                    "momentum",
                    "paged_optimizer_memory",
                    "load_in_8bit",
                    "int8_group_size",
                    "quantization_plan")
                .contains(name))
        .forEach(name -> assertThat(text).containsPattern("(?m)^" + name + ":"));
  }

  @Test
  void anAdapterThatIsContinuedHasItsOwnKind() {
    Recipe.AdapterSource lora =
        parse(SMALL + "lora_model_dir: /adapters/one").model().adapterSource().orElseThrow();
    assertThat(lora.continueFrom()).contains(Path.of("/adapters/one"));
    assertThat(lora.described()).isEmpty();
  }

  @Test
  void loraPlusHasPeftsRateForEmbeddings() {
    assertThat(parse(SMALL + "loraplus_lr_ratio: 8").optimization().learningRate().loraPlus())
        .contains(new Recipe.LoraPlus(8, 1e-6));
    assertThat(parse(SMALL).optimization().learningRate().loraPlus()).isEmpty();
  }

  @Test
  void setOverrides() {
    Recipe r =
        parse(
            SMALL + "warmup_ratio: 0.1\n",
            "lora_r=4",
            "datasets.0.path=other.jsonl",
            "datasets.1.path=more.csv",
            "datasets.1.split=test",
            "lora_target_modules=[q_proj]",
            "answer_eval.path=t.jsonl",
            "warmup_ratio=",
            "warmup_steps=3",
            "learning_rate=3e-4");
    Path here = Path.of("").toAbsolutePath();
    assertThat(spec(r).ranks().r()).isEqualTo(4);
    assertThat(spec(r).targets()).isEqualTo(TargetModules.named(List.of("q_proj")));
    assertThat(r.data().train())
        .extracting(d -> d.path())
        .containsExactly(here.resolve("other.jsonl"), here.resolve("more.csv"));
    assertThat(r.data().train().get(1).split()).isEqualTo(Optional.of("test"));
    assertThat(r.evaluation().answers().orElseThrow().dataset().path())
        .isEqualTo(here.resolve("t.jsonl"));
    assertThat(r.optimization().learningRate().warmup()).isEqualTo(new Recipe.Warmup.Steps(3));
    assertThat(r.optimization().learningRate().peak()).isEqualTo(3e-4);
  }

  @Test
  void aByteOrderMarkIsNoPartOfAKey() {
    assertThat(parse("\uFEFF" + SMALL)).isEqualTo(parse(SMALL));
  }

  @Test
  void optimizersUnderOtherToolsNames() {
    assertThat(optimizer("adamw_torch")).isEqualTo(OptimizerName.ADAMW);
    assertThat(optimizer("adamw_bnb_8bit")).isEqualTo(OptimizerName.ADAMW_8BIT);
    assertThat(optimizer("paged_adamw_32bit")).isEqualTo(OptimizerName.PAGED_ADAMW);
    assertThat(optimizer("paged_adamw_8bit")).isEqualTo(OptimizerName.PAGED_ADAMW_8BIT);
    Recipe paged = parse(SMALL + "optimizer: paged_adamw_32bit\npaged_optimizer_memory: 512MiB");
    assertThat(paged.optimization().pagedMemory()).contains(512L << 20);
    assertThat(Recipes.resolved(paged))
        .contains("optimizer: paged_adamw\n", "paged_optimizer_memory: \"512MiB\"\n");
    assertThat(Recipes.resolved(parse(SMALL + "optimizer: sgd")))
        .contains("momentum: 0\n")
        .doesNotContain("adam_", "paged_optimizer_memory");
  }

  private static OptimizerName optimizer(String name) {
    return OptimizerName.of(parse(SMALL + "optimizer: " + name).optimization());
  }
}
