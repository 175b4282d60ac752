package dev.nibble.trainer.model.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.trainer.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class ModelConfigTest {
  private static final AttentionRule NO_WINDOW = AttentionRule.causal(1 / Math.sqrt(128));

  @TempDir private Path folder;

  /** A config with a model type alone: sizes, norm's epsilon, tied head, window of layer 0. */
  static Stream<Arguments> defaults() {
    return Stream.of(
        Arguments.of("llama", new Sizes(32000, 4096, 11008, 32, 32, 32, 128, 2048), 1e-6, false, 0),
        Arguments.of(
            "mistral", new Sizes(32000, 4096, 14336, 32, 32, 8, 128, 131072), 1e-6, false, 4096),
        Arguments.of(
            "qwen2", new Sizes(151936, 4096, 22016, 32, 32, 32, 128, 32768), 1e-6, false, 0),
        Arguments.of(
            "qwen3", new Sizes(151936, 4096, 22016, 32, 32, 32, 128, 32768), 1e-6, false, 0),
        Arguments.of("phi3", new Sizes(32064, 3072, 8192, 32, 32, 32, 96, 4096), 1e-5, false, 0),
        Arguments.of(
            "gemma2", new Sizes(256000, 2304, 9216, 26, 8, 4, 256, 8192), 1e-6, true, 4096),
        Arguments.of(
            "gemma3_text", new Sizes(262208, 2304, 9216, 26, 8, 4, 256, 131072), 1e-6, true, 4096));
  }

  @ParameterizedTest
  @MethodSource("defaults")
  void missingKeysHaveTheDefaultsOfTransformers(
      String type, Sizes sizes, double epsilon, boolean tied, int window) throws IOException {
    ModelConfig c = read("{\"model_type\": \"%s\"}".formatted(type));
    assertThat(c.sizes()).isEqualTo(sizes);
    assertThat(c.normEpsilon()).isEqualTo(epsilon);
    assertThat(c.tiedHead()).isEqualTo(tied);
    assertThat(c.initializerRange()).isEqualTo(0.02);
    assertThat(c.layers()).hasSize(sizes.layers());
    assertThat(c.layers().getFirst().attention().rule().window()).isEqualTo(window);
    assertThat(c.layers().getFirst().attention().rope())
        .contains(new Rope(10000, sizes.head(), new RopeScaling.None()));
  }

  @Test
  void defaultsThatOnlyGemmaHas() throws IOException {
    ModelConfig two = read("{\"model_type\": \"gemma2\"}");
    assertThat(two.finalSoftCap()).isEqualTo(30);
    assertThat(two.scaledEmbedding()).isTrue();
    assertThat(two.layers().get(0).attention().rule())
        .isEqualTo(new AttentionRule(1 / 16.0, 4096, 50));
    assertThat(two.layers().get(1).attention().rule())
        .isEqualTo(new AttentionRule(1 / 16.0, 0, 50));
    ModelConfig three = read("{\"model_type\": \"gemma3_text\"}");
    assertThat(three.finalSoftCap()).isZero();
    assertThat(windows(three).subList(0, 7)).containsExactly(4096, 4096, 4096, 4096, 4096, 0, 4096);
    assertThat(three.layers().get(5).attention().rope().orElseThrow().theta()).isEqualTo(1e6);
  }

  @Test
  void aKeyThatIsNullIsNotMissing() throws IOException {
    assertThat(windows(read("{\"model_type\": \"mistral\", \"sliding_window\": null}")))
        .containsOnly(0);
    ModelConfig gemma =
        read(
            """
            {"model_type": "gemma2", "final_logit_softcapping": null,
             "attn_logit_softcapping": null}
            """);
    assertThat(gemma.finalSoftCap()).isZero();
    assertThat(gemma.layers().getFirst().attention().rule().softCap()).isZero();
    ModelConfig mistral = read("{\"model_type\": \"mistral\", \"num_key_value_heads\": null}");
    assertThat(mistral.sizes().keyValueHeads()).isEqualTo(32);
  }

  @Test
  void readsRopeAsTransformers4And5WriteIt() throws IOException {
    ModelConfig four =
        read(
            """
            {"model_type": "llama", "rope_theta": 500000.0, "torch_dtype": "bfloat16",
             "rope_scaling": {"rope_type": "llama3",
             "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}}
            """);
    ModelConfig five =
        read(
            """
            {"model_type": "llama", "dtype": "bfloat16",
             "rope_parameters": {"rope_theta": 500000.0,
             "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}}
            """);
    Rope rope = new Rope(500000, 128, new RopeScaling.Llama3(8, 1, 4, 8192));
    assertThat(four.ropes()).containsExactly(rope);
    assertThat(five).isEqualTo(four);
  }

  @Test
  void readsTheLegacyNameOfTheRopeType() throws IOException {
    assertThat(scaling("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}"))
        .isEqualTo(new RopeScaling.Linear(2));
  }

  @Test
  void readsYarn() throws IOException {
    String yarn =
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 512%s}";
    double usual = 0.1 * Math.log(4) + 1;
    assertThat(scaling(yarn.formatted("")))
        .isEqualTo(new RopeScaling.Yarn(4, usual, 32, 1, 512, true));
    assertThat(scaling(yarn.formatted(", \"attention_factor\": 1.5, \"truncate\": false")))
        .isEqualTo(new RopeScaling.Yarn(4, 1.5, 32, 1, 512, false));
    assertThat(scaling(yarn.formatted(", \"mscale\": 1, \"mscale_all_dim\": 1, \"beta_fast\": 16")))
        .isEqualTo(new RopeScaling.Yarn(4, 1, 16, 1, 512, true));
    String ratio =
        "\"max_position_embeddings\": 2048, \"original_max_position_embeddings\": 1024, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": null}";
    assertThat(((RopeScaling.Yarn) scaling(ratio)).factor()).isEqualTo(2);
  }

  @Test
  void dynamicRopeHasNoLongestSample() throws IOException {
    ModelConfig c =
        read(
            """
            {"model_type": "llama", "max_position_embeddings": 64,
             "rope_scaling": {"type": "dynamic", "factor": 2}}
            """);
    assertThat(c.ropes().getFirst().scaling()).isEqualTo(new RopeScaling.Dynamic(2, 64));
    assertThat(c.longestSample()).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void readsPhi3AsTransformers4And5WriteIt() throws IOException {
    String sizes =
        """
        "model_type": "phi3", "hidden_size": 64, "num_attention_heads": 4,
        "max_position_embeddings": 128, "original_max_position_embeddings": 16\
        """;
    String factors = "\"short_factor\": [1, 1.5], \"long_factor\": [2, 3]";
    RopeScaling expected =
        new RopeScaling.LongRope(
            List.of(1.0, 1.5), List.of(2.0, 3.0), Math.sqrt(1 + Math.log(8) / Math.log(16)), 16);
    for (String name : List.of("longrope", "su", "yarn")) {
      ModelConfig four =
          read(
              "{%s, \"partial_rotary_factor\": 0.25, \"rope_scaling\": {\"type\": \"%s\", %s}}"
                  .formatted(sizes, name, factors));
      assertThat(four.ropes()).containsExactly(new Rope(10000, 4, expected));
    }
    ModelConfig five =
        read(
            "{%s, \"rope_parameters\": {\"rope_theta\": 10000.0, \"partial_rotary_factor\": 0.25, \"rope_type\": \"longrope\", \"original_max_position_embeddings\": 4096, %s}}"
                .formatted(sizes, factors));
    assertThat(five.ropes()).containsExactly(new Rope(10000, 4, expected));
  }

  @Test
  void readsGemma3AsTransformers4And5WriteIt() throws IOException {
    ModelConfig four =
        read(
            """
            {"model_type": "gemma3_text", "num_hidden_layers": 4, "sliding_window": 512,
             "sliding_window_pattern": 2, "rope_theta": 2000000.0, "rope_local_base_freq": 20000.0,
             "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
            """);
    ModelConfig five =
        read(
            """
            {"model_type": "gemma3_text", "num_hidden_layers": 4, "sliding_window": 512,
             "_sliding_window_pattern": 2, "layer_types": ["sliding_attention", "full_attention",
             "sliding_attention", "full_attention"], "rope_parameters": {
             "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2000000.0},
             "sliding_attention": {"rope_type": "default", "rope_theta": 20000.0}}}
            """);
    assertThat(windows(four)).containsExactly(512, 0, 512, 0);
    assertThat(four.ropes())
        .containsExactly(
            new Rope(20000, 256, new RopeScaling.None()),
            new Rope(2e6, 256, new RopeScaling.Linear(8)));
    assertThat(four.rope(four.layers().get(3))).hasValue(1);
    assertThat(five).isEqualTo(four);
  }

  @Test
  void qwensWindowBeginsAtSomeLayer() throws IOException {
    String four =
        """
        {"model_type": "qwen2", "num_hidden_layers": 3, "use_sliding_window": %s,
         "sliding_window": 512, "max_window_layers": 2}
        """;
    assertThat(windows(read(four.formatted("true")))).containsExactly(0, 0, 512);
    assertThat(windows(read(four.formatted("false")))).containsOnly(0);
    String five =
        """
        {"model_type": "qwen3", "num_hidden_layers": 3, "use_sliding_window": true,
         "sliding_window": 512,
         "layer_types": ["full_attention", "sliding_attention", "full_attention"]}
        """;
    assertThat(windows(read(five))).containsExactly(0, 512, 0);
  }

  @Test
  void biasesAreEachFamilysOwn() throws IOException {
    String bias = "{\"model_type\": \"%s\", \"attention_bias\": true, \"mlp_bias\": true}";
    assertThat(biased(read(bias.formatted("llama"))))
        .containsExactly(
            "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
    assertThat(biased(read("{\"model_type\": \"qwen2\"}")))
        .containsExactly("q_proj", "k_proj", "v_proj");
    assertThat(biased(read(bias.formatted("qwen2")))).containsExactly("q_proj", "k_proj", "v_proj");
    assertThat(biased(read(bias.formatted("mistral")))).isEmpty();
    for (LayerPlan layer : read("{\"model_type\": \"qwen3\"}").layers()) {
      assertThat(layer.attention().headNorms()).isPresent();
      assertThat(layer.attention().rule()).isEqualTo(NO_WINDOW);
      assertThat(layer.attention().rope()).contains(new Rope(10000, 128, new RopeScaling.None()));
    }
  }

  /** The linear maps of the first layer that have a bias. */
  private static List<String> biased(ModelConfig c) {
    return c.layers().getFirst().linears().stream()
        .filter(LayerPlan.Linear::bias)
        .map(map -> map.module().substring(map.module().lastIndexOf('.') + 1))
        .toList();
  }

  @Test
  void layersOfSmolLm3MayHaveNoRope() throws IOException {
    ModelConfig three = read("{\"model_type\": \"smollm3\"}");
    assertThat(three.sizes()).isEqualTo(new Sizes(128256, 2048, 11008, 36, 16, 4, 128, 32768));
    assertThat(three.tiedHead()).isTrue();
    assertThat(three.ropes()).containsExactly(new Rope(2e6, 128, new RopeScaling.None()));
    assertThat(unrotated(three)).containsExactly(3, 7, 11, 15, 19, 23, 27, 31, 35);
    assertThat(three.rope(three.layers().get(3))).isEmpty();
    assertThat(windows(three)).containsOnly(0);
    ModelConfig listed =
        read(
            """
            {"model_type": "smollm3", "num_hidden_layers": 4, "no_rope_layers": [0, 1, 1, 0],
             "use_sliding_window": true, "sliding_window": 512}
            """);
    assertThat(unrotated(listed)).containsExactly(0, 3);
    assertThat(windows(listed)).containsExactly(512, 0, 0, 512);
  }

  private static List<Integer> unrotated(ModelConfig c) {
    return c.layers().stream()
        .filter(l -> l.attention().rope().isEmpty())
        .map(LayerPlan::index)
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | \"model_type\" is missing; supported: llama, mistral, qwen2, qwen3, smollm3, phi3, gemma2, gemma3_text",
        "{\"model_type\": \"mamba\"} | \"model_type\" is \"mamba\"; supported: llama",
        "{\"model_type\": \"qwen3_moe\"} | \"model_type\" is \"qwen3_moe\"; supported: llama",
        "{\"model_type\": \"gemma3\", \"text_config\": {}} | supported: gemma3_text, the model without images",
        "{\"model_type\": \"llama\", \"hidden_act\": \"gelu\"} | \"hidden_act\" is \"gelu\"; supported: silu",
        "{\"model_type\": \"gemma2\", \"hidden_activation\": \"gelu\"} | \"hidden_activation\" is \"gelu\"; supported: gelu_pytorch_tanh",
        "{\"model_type\": \"llama\", \"pretraining_tp\": 2} | \"pretraining_tp\" is 2",
        "{\"model_type\": \"llama\", \"attention_dropout\": 0.1} | \"attention_dropout\" is 0.1",
        "{\"model_type\": \"phi3\", \"resid_pdrop\": 0.1} | \"resid_pdrop\" is 0.1",
        "{\"model_type\": \"llama\", \"sliding_window\": 4096} | \"sliding_window\" is 4096",
        "{\"model_type\": \"mistral\", \"num_local_experts\": 8} | \"num_local_experts\" is 8; supported: no such key",
        "{\"model_type\": \"gemma2\", \"use_bidirectional_attention\": true} | \"use_bidirectional_attention\" is true",
        "{\"model_type\": \"gemma2\", \"sliding_window\": null} | \"sliding_window\" is null; supported: a positive integer, as some layers are sliding_attention",
        "{\"model_type\": \"gemma3_text\", \"attn_logit_softcapping\": 50} | \"attn_logit_softcapping\" is 50",
        "{\"model_type\": \"gemma3_text\", \"rope_parameters\": {\"rope_theta\": 1}} | an object for each of full_attention, sliding_attention",
        "{\"model_type\": \"qwen2\", \"layer_types\": [\"full_attention\"]} | full_attention or sliding_attention for each of 32 layers",
        "{\"model_type\": \"qwen2\", \"num_hidden_layers\": 1, \"layer_types\": [\"chunked_attention\"]} | \"layer_types\" is [\"chunked_attention\"]",
        "{\"model_type\": \"qwen2\", \"num_hidden_layers\": 1, \"layer_types\": [\"sliding_attention\"]} | \"use_sliding_window\" is missing; supported: true, as some layers are sliding_attention",
        "{\"model_type\": \"llama\", \"hidden_size\": \"64\"} | \"hidden_size\" is \"64\"; supported: a positive integer",
        "{\"model_type\": \"llama\", \"num_key_value_heads\": 5} | a divisor of num_attention_heads = 32",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"mrope\"}} | \"rope_scaling.type\" is \"mrope\"; supported: default, linear, dynamic, llama3, yarn, longrope",
        "{\"model_type\": \"phi3\", \"rope_scaling\": {\"type\": \"linear\"}} | \"rope_scaling.type\" is \"linear\"; supported: default, longrope",
        "{\"model_type\": \"phi3\", \"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1], \"long_factor\": [1]}} | \"rope_scaling.short_factor\" is [1]; supported: 48 positive numbers",
        "{\"model_type\": \"phi3\", \"partial_rotary_factor\": 0.01} | \"partial_rotary_factor\" is 0.01",
        "{\"model_type\": \"llama\", \"partial_rotary_factor\": 0.5} | \"partial_rotary_factor\" is 0.5",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"full_attention\": {}}} | one rope for all layers of this family",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"linear\"}} | \"rope_parameters.factor\" is missing",
        "{\"model_type\": \"qwen2\", \"rope_scaling\": {\"type\": \"default\", \"mrope_section\": [16, 24, 24]}} | \"rope_scaling.mrope_section\" is [16,24,24]; supported: leaving it out, as no rope type has such a key",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"dynamic\", \"factor\": 2, \"alpha\": 1000}} | \"rope_parameters.alpha\" is 1000",
        "{\"model_type\": \"gemma3_text\", \"rope_parameters\": {\"full_attention\": {\"factr\": 8}}} | \"rope_parameters.full_attention.factr\" is 8",
        "{\"model_type\": \"gemma3_text\", \"rope_parameters\": {\"full_attention\": {}, \"chunked_attention\": {\"factor\": 8}}} | \"rope_parameters.chunked_attention\" is {\"factor\":8}",
        "{\"model_type\": \"smollm3\", \"no_rope_layers\": [1, 0]} | 0 or 1 for each of 36 layers",
        "{\"model_type\": \"smollm3\", \"no_rope_layers\": [2]} | a list of 0 and 1",
        "{\"model_type\": \"llama\", \"logits_scaling\": 8} | \"logits_scaling\" is 8; supported: leaving it out, as this model_type has no such key",
        "{\"model_type\": \"qwen3\", \"final_logit_softcapping\": 30} | \"final_logit_softcapping\" is 30",
        "{\"model_type\": \"llama\", \"layer_types\": [\"sliding_attention\"]} | \"layer_types\" is [\"sliding_attention\"]",
        "{\"model_type\": \"llama\", \"no_rope_layers\": [1, 0]} | \"no_rope_layers\" is [1,0]",
        "{\"model_type\": \"mistral\", \"query_pre_attn_scalar\": 256} | \"query_pre_attn_scalar\" is 256",
        "[1] | does not hold a JSON object",
        "{\"model_type\" | is not valid JSON",
      })
  void saysWhatIsWrong(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  @Test
  void keysOfOtherFamiliesThatSayNothingAreLeftOut() throws IOException {
    String keys =
        """
        {"model_type": "llama", "num_hidden_layers": 2, "layer_types": ["full_attention", "full_attention"],
         "no_rope_layers": [1, 1], "logits_scaling": 1.0, "rope_interleaved": false,
         "final_logit_softcapping": null, "rotary_pct": 1}
        """;
    assertThat(read(keys)).isEqualTo(read("{\"model_type\": \"llama\", \"num_hidden_layers\": 2}"));
  }

  /** As in transformers, which warns of keys that a rope type does not read. */
  @Test
  void keysOfOtherRopeTypesAreLeftOut() throws IOException {
    String keys =
        """
        "rope_scaling": {"rope_type": "linear", "factor": 2.0, "low_freq_factor": 1.5,
         "original_max_position_embeddings": 64, "beta_fast": 30, "finetuned": true,
         "mrope_section": null}
        """;
    assertThat(scaling(keys)).isEqualTo(new RopeScaling.Linear(2));
  }

  /** Layers share buffers. */
  @Test
  void layersOfOtherSizesAreRefused() throws IOException {
    String width =
        "{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"intermediate_size\": %d}";
    ModelConfig wide = read(width.formatted(64));
    ModelConfig narrow = read(width.formatted(32));
    List<LayerPlan> mixed = List.of(wide.layers().getFirst(), narrow.layers().getLast());
    assertThatThrownBy(() ->
            new ModelConfig(
                wide.family(),
                wide.sizes(),
                mixed,
                wide.normEpsilon(),
                wide.normOffset(),
                wide.finalSoftCap(),
                wide.scaledEmbedding(),
                wide.tiedHead(),
                wide.initializerRange()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer 1 of llama has tensors of shapes")
        .hasMessageContaining("layers share buffers");
  }

  private RopeScaling scaling(String keys) throws IOException {
    return read("{\"model_type\": \"llama\", %s}".formatted(keys)).ropes().getFirst().scaling();
  }

  private static List<Integer> windows(ModelConfig c) {
    return c.layers().stream().map(l -> l.attention().rule().window()).toList();
  }

  private ModelConfig read(String json) throws IOException {
    return ModelConfig.read(Files.writeString(folder.resolve("config.json"), json));
  }
}
