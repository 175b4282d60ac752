package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
  void missingKeysHaveTheDefaultsOfPeft() throws IOException {
    PeftConfig c = read("{\"peft_type\": \"LORA\", \"target_modules\": \"all-linear\"}");
    assertThat(c.spec()).isEqualTo(new LoraSpec(8, 8, 0, TargetModules.allLinear()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"r\": 4} | \"peft_type\" is missing",
        "{\"peft_type\": \"IA3\"} | \"peft_type\" is \"IA3\"; supported: \"LORA\"",
        "{\"peft_type\": \"LORA\", \"use_dora\": true, \"x\": 1} | \"use_dora\": true, \"x\": 1",
        "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": 2}} | \"rank_pattern\": {\"q\":2}",
        "{\"peft_type\": \"LORA\", \"bias\": \"all\"} | \"bias\": \"all\"",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"pissa\"} | \"init_lora_weights\" is \"pissa\"",
        "{\"peft_type\": \"LORA\"} | \"target_modules\" is missing",
        "{\"peft_type\": \"LORA\", \"target_modules\": \".*q\"} | \"target_modules\" is \".*q\"",
        "{\"peft_type\": \"LORA\", \"target_modules\": [\"q\"], \"r\": 0} | rank r must be at least 1",
        "{\"peft_type\": \"LORA\", \"target_modules\": [\"q\"], \"r\": 1.5} | \"r\" is 1.5",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": \"8\"} | \"lora_alpha\" is \"8\"",
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
