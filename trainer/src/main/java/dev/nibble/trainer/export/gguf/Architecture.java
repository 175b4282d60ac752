package dev.nibble.trainer.export.gguf;

import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.config.LayerPlan;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.Part;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What GGUF calls the families of models, and what llama.cpp can express of each. */
enum Architecture {
  /** Llama and Mistral. */
  LLAMA("llama"),
  QWEN2("qwen2"),
  QWEN3("qwen3"),
  SMOLLM3("smollm3"),
  PHI3("phi3"),
  GEMMA2("gemma2"),
  GEMMA3("gemma3");

  private final String id;

  Architecture(String id) {
    this.id = id;
  }

  /** Its name in the file, which also begins its metadata keys. */
  String id() {
    return id;
  }

  /**
   * The architecture of a model.
   *
   * @throws ExportException when llama.cpp computes something else under that name
   */
  static Architecture of(ModelConfig config) {
    Architecture a =
        switch (config.family()) {
          case "llama", "mistral" -> LLAMA;
          case "qwen2" -> QWEN2;
          case "qwen3" -> QWEN3;
          case "smollm3" -> SMOLLM3;
          case "phi3" -> PHI3;
          case "gemma2" -> GEMMA2;
          case "gemma3_text" -> GEMMA3;
          default ->
              throw new ExportException("GGUF export does not know model_type " + config.family());
        };
    a.checkBiases(config);
    if (a == SMOLLM3) {
      a.checkLayersWithoutRope(config);
    }
    if (a.isGemma()) {
      a.checkAttentionScale(config);
      a.checkWindowedLayers(config);
      a.checkSoftCaps(config);
    }
    return a;
  }

  boolean isGemma() {
    return this == GEMMA2 || this == GEMMA3;
  }

  /**
   * Rotary embedding turns neighbouring elements of a head, where transformers turns element i and
   * i + D/2: the rows of the query and key projections change places.
   */
  boolean rotatesNeighbours() {
    return this == LLAMA || this == SMOLLM3;
  }

  private void checkBiases(ModelConfig config) {
    Set<Part> allowed =
        switch (this) {
          case LLAMA -> EnumSet.allOf(Part.class);
          case QWEN2 -> EnumSet.of(Part.QUERY, Part.KEY, Part.VALUE);
          default -> EnumSet.noneOf(Part.class);
        };
    for (LayerPlan.Linear map : config.layers().getFirst().linears()) {
      if (map.bias() && !allowed.contains(map.part())) {
        throw new ExportException(
            "%s has a bias, which llama.cpp's %s has not: export the merged model in Hugging Face's layout instead"
                .formatted(map.module(), id));
      }
    }
  }

  /** llama.cpp knows which of SmolLM3's layers have no rope. */
  private void checkLayersWithoutRope(ModelConfig config) {
    List<LayerPlan> layers = config.layers();
    for (int i = 0; i < layers.size(); i++) {
      boolean rotated = (i + 1) % 4 != 0;
      if (layers.get(i).attention().rope().isPresent() != rotated) {
        throw new ExportException(
            "layer %d of smollm3 has %s rope; llama.cpp leaves it out in every fourth layer, as the published model does"
                .formatted(i, rotated ? "no" : "a"));
      }
    }
  }

  /** llama.cpp knows the scale of Gemma's attention by the model's size. */
  private void checkAttentionScale(ModelConfig config) {
    int layers = config.layers().size();
    int largest = this == GEMMA2 ? 46 : 62;
    LayerPlan.Attention attention = config.layers().getFirst().attention();
    int expected =
        layers == largest ? config.sizes().hidden() / attention.heads() : attention.headSize();
    double scale = attention.rule().scale();
    if (scale != 1 / Math.sqrt(expected)) {
      throw new ExportException(
          "\"query_pre_attn_scalar\" is %d; llama.cpp takes %d for %d layers of %s"
              .formatted(Math.round(1 / (scale * scale)), expected, layers, id));
    }
  }

  /** llama.cpp knows which of Gemma's layers have a window. */
  private void checkWindowedLayers(ModelConfig config) {
    List<LayerPlan> layers = config.layers();
    for (int i = 0; i < layers.size(); i++) {
      boolean windowed = this == GEMMA2 ? i % 2 == 0 : i % 6 != 5;
      if (layers.get(i).attention().rule().window() > 0 != windowed) {
        throw new ExportException(
            "\"layer_types\" differ from the pattern of %s as it was published, which llama.cpp takes"
                .formatted(id));
      }
    }
  }

  /** llama.cpp caps Gemma 2's scores and logits whatever the file says. */
  private void checkSoftCaps(ModelConfig config) {
    double scores = config.layers().getFirst().attention().rule().softCap();
    if (this == GEMMA2 && (scores == 0 || config.finalSoftCap() == 0)) {
      throw new ExportException(
          "\"%s\" is null, but llama.cpp always caps %s"
              .formatted(scores == 0 ? "attn_logit_softcapping" : "final_logit_softcapping", id));
    }
  }
}
