package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What config.json says about a checkpoint in 4 bits must be what its tensors are. */
final class QuantizationConfigTest {
  private static final FourBitFormat NF4 = new FourBitFormat(QuantType.NF4, 64, true);

  @TempDir Path folder;
  private String config = "";

  @BeforeEach
  void copy() throws IOException {
    Path golden = Golden.bnb("checkpoint");
    Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    config = Files.readString(golden.resolve("config.json"));
    Files.writeString(folder.resolve("config.json"), config);
  }

  private void change(String from, String to) throws IOException {
    assertThat(config).contains(from);
    Files.writeString(folder.resolve("config.json"), config.replace(from, to));
  }

  private void load(ModelOptions options) {
    ModelFixture.load(ModelFixture.fastestKernelSet().findFirst().get(), folder, options).close();
  }

  @Test
  void tellsTheFormatWithoutLoading() throws IOException {
    assertThat(ModelLoader.storedFormat(folder)).contains(NF4);
    assertThat(ModelLoader.storedFormat(Golden.model("llama"))).isEmpty();
    assertThat(ModelLoader.storedFormat(folder.resolve("nowhere"))).isEmpty();
    assertThat(ModelConfig.of(folder).weights()).isEqualTo(133_440);
  }

  /** {@code quant_method} came later than the rest. */
  @Test
  void readsOldFiles() throws IOException {
    change("\"quant_method\": \"bitsandbytes\",", "");
    assertThat(ModelLoader.storedFormat(folder)).contains(NF4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"bitsandbytes\"|\"gptq\"|\"quantization_config.bits\" is missing",
        "\"bitsandbytes\"|\"aqlm\"|\"quantization_config.quant_method\" is \"aqlm\"; supported: \"bitsandbytes\" in 4 bits",
        "\"bitsandbytes\"|\"awq\"|\"quantization_config.bits\" is missing",
        "\"quantization_config\": {|\"quantization_config\": {}, \"o\": {|\"quantization_config.quant_method\" is missing",
        "\"load_in_8bit\": false|\"load_in_8bit\": true|\"quantization_config.load_in_8bit\" is true; supported: bitsandbytes in 4 bits",
        "\"load_in_4bit\": true,|\"load_in_4bit\": false,|\"quantization_config.load_in_4bit\" is false",
        "\"nf4\"|\"int4\"|\"quantization_config.bnb_4bit_quant_type\" is \"int4\"; supported: \"nf4\" and \"fp4\"",
        "\"nf4\"|\"fp4\"|says FP4 with double quantisation, but the tensors are in NF4 with",
        "\"bnb_4bit_use_double_quant\": true|\"bnb_4bit_use_double_quant\": false|says NF4 without double quantisation, but",
        "\"quantization_config\"|\"other\"|there is no \"quantization_config\", but the tensors are in NF4",
      })
  void refusesOtherMethodsAndContradictions(String from, String to, String message)
      throws IOException {
    change(from, to);
    assertThatThrownBy(() -> load(ModelFixture.options(new Training.Nothing())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(folder.resolve("config.json").toString())
        .hasMessageContaining(message);
  }

  @Test
  void denseTensorsContradictIt() throws IOException {
    Files.copy(
        Golden.model("llama").resolve("model.safetensors"),
        Files.createDirectory(folder.resolve("dense")).resolve("model.safetensors"));
    Files.writeString(folder.resolve("dense/config.json"), config);
    assertThatThrownBy(() -> ModelLoader.storedFormat(folder.resolve("dense")))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("says NF4 with double quantisation, but no tensor is quantised");
  }

  @Test
  void shapesMustFit() throws IOException {
    change("\"intermediate_size\": 176", "\"intermediate_size\": 192");
    assertThatThrownBy(() -> load(ModelFixture.options(new Training.Nothing())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(
            "model.layers.1.mlp.down_proj.weight is [64, 176] quantised, expected [64, 192]");
  }

  @Test
  void itsWeightsCannotTrainNorTakeAnotherFormat() {
    assertThatThrownBy(() -> load(ModelFixture.options(new Training.AllWeights())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("is quantised (NF4, blocks of 64, double quantisation)")
        .hasMessageContaining("train an adapter on it");
    FourBitFormat fp4 = new FourBitFormat(QuantType.FP4, 64, true);
    assertThatThrownBy(() -> load(ModelFixture.options(new Training.Nothing(), fp4)))
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining("cannot be put in FP4");
    try (Kernels kernels = ModelFixture.open(ModelFixture.fastestKernelSet().findFirst().get());
        Scope scope = Scope.open("test", kernels.memory())) {
      ModelOptions all =
          new ModelOptions(new Training.AllWeights(), Optional.empty(), 8, Checkpointing.OFF);
      assertThatThrownBy(() -> ModelLoader.initialise(folder, 1, all, kernels, scope))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("remove quantization_config");
    }
  }
}
