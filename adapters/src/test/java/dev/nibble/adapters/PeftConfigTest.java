package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PeftConfigTest {
  @TempDir private Path folder;

  @Test
  void writesTheKeysThatEveryPeftKnowsSortedAndIndented() {
    LoraSpec spec = new LoraSpec(4, 8, 0.05, TargetModules.allLinear());
    String json =
        new PeftConfig(spec, "base").toJson(List.of("l.0.q_proj", "l.1.q_proj", "l.0.k_proj"));
    assertThat(json)
        .isEqualTo(
            """
            {
              "auto_mapping": null,
              "base_model_name_or_path": "base",
              "bias": "none",
              "fan_in_fan_out": false,
              "inference_mode": true,
              "init_lora_weights": true,
              "layers_pattern": null,
              "layers_to_transform": null,
              "lora_alpha": 8,
              "lora_dropout": 0.05,
              "modules_to_save": null,
              "peft_type": "LORA",
              "r": 4,
              "revision": null,
              "target_modules": [
                "k_proj",
                "q_proj"
              ],
              "task_type": "CAUSAL_LM"
            }\
            """);
  }

  @Test
  void readsWhatItWrites() throws IOException {
    LoraSpec spec = new LoraSpec(16, 0.5, 0, TargetModules.named(List.of("k_proj", "v_proj")));
    Files.writeString(folder.resolve(PeftConfig.FILE), new PeftConfig(spec, "").toJson(List.of()));
    assertThat(PeftConfig.read(folder)).isEqualTo(new PeftConfig(spec, ""));
  }

  @Test
  void readsEveryKindThatItWrites() throws IOException {
    LoraSpec spec =
        new LoraSpec(
            new LoraRanks(8, 16, true, Map.of("up_proj", 4), Map.of("layers.1.*", 2.5)),
            0.1,
            TargetModules.named(List.of("q_proj"))
                .except(new ModuleChoice.Matching(".*[.]9[.].*"))
                .in(new TargetModules.Layers(List.of(0, 2), List.of("layers"))),
            List.of("lm_head"),
            true,
            false,
            new LoraStart.Loftq(3));
    Files.writeString(folder.resolve(PeftConfig.FILE), new PeftConfig(spec, "b").toJson(List.of()));
    assertThat(PeftConfig.read(folder)).isEqualTo(new PeftConfig(spec, "b"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "true",
        "false",
        "gaussian",
        "orthogonal",
        "pissa",
        "pissa_niter_4",
        "olora",
        "loftq"
      })
  void readsAndWritesEveryStart(String name) throws IOException {
    LoraStart start = LoraStart.named(name, 1).orElseThrow();
    LoraSpec spec =
        new LoraSpec(8, 8, 0, TargetModules.of(new ModuleChoice.Matching("q.*"))).withStart(start);
    Files.writeString(folder.resolve(PeftConfig.FILE), new PeftConfig(spec, "").toJson(List.of()));
    assertThat(PeftConfig.read(folder).spec()).isEqualTo(spec);
    assertThat(start.written()).isEqualTo(name);
    assertThat(LoraStart.NAMES).contains(name.replace("_4", "_N"));
  }

  @Test
  void readsAndWritesIa3() throws IOException {
    Ia3Spec spec =
        new Ia3Spec(
            TargetModules.named(List.of("down_proj", "o_proj", "q_proj"))
                .except(new ModuleChoice.Matching(".*[.]9[.].*")),
            Optional.of(new ModuleChoice.Named(List.of("down_proj", "o_proj"))),
            List.of("lm_head"));
    assertThat(written(spec)).isEqualTo(spec);
    Ia3Spec expressions =
        new Ia3Spec(
            TargetModules.of(new ModuleChoice.Matching(".*(q|o)_proj")),
            Optional.of(new ModuleChoice.Matching(".*o_proj")),
            List.of());
    assertThat(written(expressions)).isEqualTo(expressions);
    Ia3Spec none = new Ia3Spec(TargetModules.named(List.of("q_proj")), Optional.empty(), List.of());
    assertThat(written(none)).isEqualTo(none);
  }

  /** PEFT refuses feed-forward modules that are no targets. */
  @Test
  void writesFeedforwardModulesThatAreTargets() {
    Ia3Spec spec =
        new Ia3Spec(
            TargetModules.named(List.of("q_proj")),
            Optional.of(Ia3Spec.DEFAULT_FEEDFORWARD),
            List.of());
    assertThat(new PeftConfig(spec, "").toJson(List.of())).contains("\"feedforward_modules\": [ ]");
  }

  @Test
  void readsAndWritesVera() throws IOException {
    VeraSpec spec =
        new VeraSpec(
            64,
            0.1,
            0.5,
            9,
            true,
            TargetModules.named(List.of("q_proj"))
                .in(new TargetModules.Layers(List.of(0, 2), List.of("layers"))),
            List.of("lm_head"));
    assertThat(written(spec)).isEqualTo(spec);
  }

  private AdapterSpec written(AdapterSpec spec) throws IOException {
    Files.writeString(folder.resolve(PeftConfig.FILE), new PeftConfig(spec, "").toJson(List.of()));
    return PeftConfig.read(folder).spec();
  }

  @Test
  void missingKeysHaveTheDefaultsOfPeft() throws IOException {
    assertThat(read("{\"peft_type\": \"IA3\"}").spec())
        .isEqualTo(
            new Ia3Spec(
                TargetModules.of(Ia3Spec.DEFAULT_TARGETS),
                Optional.of(Ia3Spec.DEFAULT_FEEDFORWARD),
                List.of()));
    assertThat(read("{\"peft_type\": \"VERA\"}").spec())
        .isEqualTo(
            new VeraSpec(
                256,
                0,
                0.1,
                0,
                true,
                TargetModules.of(ModuleChoice.ModelDefault.QUERY_AND_VALUE),
                List.of()));
    PeftConfig c = read("{\"peft_type\": \"LORA\", \"target_modules\": \"all-linear\"}");
    assertThat(c.spec()).isEqualTo(new LoraSpec(8, 8, 0, TargetModules.allLinear()));
    assertThat(read("{\"peft_type\": \"LORA\"}").spec().targets())
        .isEqualTo(TargetModules.of(ModuleChoice.ModelDefault.QUERY_AND_VALUE));
  }

  @Test
  void namesEveryUnsupportedKeyAtOnce() {
    assertThatThrownBy(() ->
            read(
                "{\"peft_type\": \"LORA\", \"r\": \"4\", \"bias\": \"some\", \"use_bdlora\": {\"a\": 1}}"))
        .hasMessageContaining("\"r\" is \"4\"; supported: a number")
        .hasMessageContaining("\"bias\" is \"some\"; supported: none, all, lora_only")
        .hasMessageContaining("\"use_bdlora\" is {\"a\":1}; supported: leaving it out");
  }

  /** As PEFT does with the keys of later versions. */
  @Test
  void keysThatPeftDoesNotKnowAreLeftOut() throws IOException {
    PeftConfig lora =
        read(
            "{\"peft_type\": \"LORA\", \"r\": 4, \"new\": {\"a\": 1}, \"off\": false, \"later\": 2}");
    assertThat(lora.ignored()).containsExactly("new", "later");
    assertThat(((LoraSpec) lora.spec()).ranks().r()).isEqualTo(4);
    assertThat(read("{\"peft_type\": \"IA3\", \"r\": 4}").ignored()).containsExactly("r");
    assertThat(read("{\"peft_type\": \"LORA\", \"bias\": \"none\"}").ignored()).isEmpty();
  }

  @Test
  void whatTrainedBesideTheAdapter() throws IOException {
    assertThat(
            read("{\"peft_type\": \"LORA\", \"bias\": \"lora_only\", \"ensure_weight_tying\": true}")
                .extras())
        .isEqualTo(new PeftExtras("lora_only", Map.of(), true));
    assertThat(read("{\"peft_type\": \"LORA\", \"trainable_token_indices\": [3, 5]}").extras())
        .isEqualTo(new PeftExtras("none", Map.of("embed_tokens", List.of(3, 5)), false));
    assertThat(
            read("{\"peft_type\": \"LORA\", \"trainable_token_indices\": {\"lm_head\": [1]}}")
                .extras()
                .tokensOf("lm_head"))
        .contains(List.of(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"r\": 4} | \"peft_type\" is missing",
        "{\"peft_type\": \"OFT\"} | \"peft_type\" is \"OFT\"; supported: LORA, IA3, VERA",
        "{\"peft_type\": \"IA3\", \"layers_to_transform\": 1} | IA3 has no layers_to_transform",
        "{\"peft_type\": \"IA3\", \"target_modules\": [\"q\"], \"feedforward_modules\": [\"k\"]} | feedforward_modules [k] must be among the target modules [q]",
        "{\"peft_type\": \"IA3\", \"fan_in_fan_out\": true} | \"fan_in_fan_out\" is true; supported: leaving it out",
        "{\"peft_type\": \"VERA\", \"r\": 0} | VeRA rank r must be at least 1, got 0",
        "{\"peft_type\": \"VERA\", \"vera_dropout\": 1} | VeRA dropout must be at least 0 and below 1",
        "{\"peft_type\": \"VERA\", \"bias\": \"lora_only\"} | \"bias\" is \"lora_only\"; supported: none, all, vera_only",
        "{\"peft_type\": \"VERA\", \"exclude_modules\": [\"q\"]} | VeRA has no exclude_modules",
        "{\"peft_type\": \"LORA\", \"use_qalora\": true, \"x\": 1} | \"use_qalora\" is true; supported: leaving it out",
        "{\"peft_type\": \"LORA\", \"use_qalora\": true, \"fan_in_fan_out\": true} | \"fan_in_fan_out\" is true; supported: leaving it out",
        "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": 2.5}} | \"rank_pattern\" is {\"q\":2.5}; supported: names",
        "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": 0}} | the rank of the pattern q must be at least 1",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"(q\": 1}} | is no regular expression",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": [1]} | \"alpha_pattern\" is [1]; supported: names",
        "{\"peft_type\": \"LORA\", \"bias\": 3} | \"bias\" is 3; supported: none, all, lora_only",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"corda\"} | \"init_lora_weights\" is \"corda\"; supported: true, false",
        "{\"peft_type\": \"LORA\", \"loftq_config\": {\"loftq_bits\": 8}} | supported: 4 bits",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": [-1]} | \"trainable_token_indices\" is [-1]; supported: token ids",
        "{\"peft_type\": \"LORA\", \"target_modules\": 3} | \"target_modules\" is 3",
        "{\"peft_type\": \"LORA\", \"target_modules\": [3]} | \"target_modules\" is [3]",
        "{\"peft_type\": \"LORA\", \"target_modules\": \"(q\"} | is no regular expression",
        "{\"peft_type\": \"LORA\", \"target_modules\": [\"q\"], \"r\": 0} | rank r must be at least 1",
        "{\"peft_type\": \"LORA\", \"target_modules\": [\"q\"], \"r\": 1.5} | \"r\" is 1.5",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": \"8\"} | \"lora_alpha\" is \"8\"",
        "{\"peft_type\": \"LORA\", \"use_dora\": 1} | \"use_dora\" is 1; supported: true or false",
        "{\"peft_type\": \"LORA\", \"use_dora\": true, \"lora_bias\": true} | a bias of the adapter does not go with DoRA",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"olora\", \"lora_bias\": true} | random start only, not with olora",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"orthogonal\", \"r\": 3} | needs an even rank, got 3",
        "{\"peft_type\": \"LORA\", \"layers_to_transform\": \"1\"} | \"layers_to_transform\" is \"1\"",
        "{\"peft_type\": \"LORA\", \"target_modules\": \"q\", \"layers_to_transform\": 1} | layers_to_transform does not go",
        "7 | does not hold a JSON object",
        "{ | is not valid JSON",
      })
  void saysWhatIsWrong(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(PeftConfig.FILE)
        .hasMessageContaining(message);
  }

  @Test
  void aFolderWithoutConfigIsNoAdapter() {
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(folder + " is not a PEFT adapter: it has no adapter_config.json");
  }

  private PeftConfig read(String json) throws IOException {
    Files.writeString(folder.resolve(PeftConfig.FILE), json);
    return PeftConfig.read(folder);
  }
}
