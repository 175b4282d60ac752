package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.TensorSource;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.QuantizationConfig;
import dev.nibble.trainer.model.config.Sizes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** Writes a model with its tokenizer and chat template as one GGUF file, which llama.cpp runs. */
public final class GgufModel {
  static final int QUANTIZATION_VERSION = 2;

  private GgufModel() {}

  /**
   * Writes a model of one of the families that {@code model_type} may name: llama, mistral, qwen2,
   * qwen3, smollm3, phi3, gemma2, gemma3_text. Vectors and norms are F32 whatever the type; a
   * matrix whose rows are not whole blocks is F16; the output head of a Q4_0 file, or the embedding
   * that stands in for it, is Q8_0.
   *
   * @param modelFolder holds config.json, the tokenizer's files and the chat template
   * @param source the tensors, in host memory; an output head among them is written even when
   *     config.json ties it
   * @param out the file, replaced as a whole or not at all
   * @param progress hears how many bytes of tensors were written, and how many there are
   * @throws ExportException when GGUF or llama.cpp cannot represent the model or its tokenizer
   */
  public static GgufReport write(
      Path modelFolder,
      TensorSource source,
      Path out,
      GgufType type,
      BiConsumer<Long, Long> progress) {
    ModelConfig config = ModelConfig.of(modelFolder);
    Architecture architecture = Architecture.of(config);
    // Refuses formats that no source of tensors reads.
    QuantizationConfig.summary(modelFolder);
    boolean ownHead = !config.tiedHead() || source.names().contains(ModelTensors.HEAD);
    List<TensorLayout.Entry> layout = TensorLayout.of(config, architecture, ownHead);
    TensorLayout.check(layout, source);

    List<String> fallbacks = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    List<GgufTensor> tensors = new ArrayList<>();
    GgufMetadata metadata = new GgufMetadata();
    addGeneral(metadata, architecture, name(modelFolder), type);
    addSizes(metadata, config, architecture, warnings);
    RopeExport.add(config, architecture, metadata, tensors, warnings);
    TokenizerExport.add(modelFolder, config.sizes().vocab(), metadata, warnings);
    String head = ownHead ? ModelTensors.HEAD : ModelTensors.EMBEDDING;
    for (TensorLayout.Entry e : layout) {
      GgufType wanted = type == GgufType.Q4_0 && e.source().equals(head) ? GgufType.Q8_0 : type;
      GgufType stored = stored(e.name(), e.shape(), wanted, fallbacks);
      tensors.add(
          new GgufTensor(
              e.name(),
              e.shape(),
              stored,
              values -> {
                source.read(e.source(), values);
                e.apply(values, config.sizes().head());
              }));
    }
    long bytes = GgufWriter.write(out, metadata, tensors, progress);
    return new GgufReport(bytes, tensors.size(), fallbacks, warnings);
  }

  private static String name(Path folder) {
    Path last = folder.toAbsolutePath().normalize().getFileName();
    return last == null ? "model" : last.toString();
  }

  private static GgufType stored(
      String name, Shape shape, GgufType wanted, List<String> fallbacks) {
    if (shape.rank() == 1) {
      return GgufType.F32;
    }
    if (!wanted.fits(shape)) {
      fallbacks.add(
          "%s %s is F16: its rows are not whole blocks of %d"
              .formatted(name, shape, wanted.blockSize()));
      return GgufType.F16;
    }
    return wanted;
  }

  private static void addGeneral(
      GgufMetadata metadata, Architecture architecture, String name, GgufType type) {
    metadata
        .text("general.architecture", architecture.id())
        .text("general.type", "model")
        .text("general.name", name)
        .u32("general.file_type", type.fileType())
        .u32("general.quantization_version", QUANTIZATION_VERSION);
  }

  private static void addSizes(
      GgufMetadata metadata, ModelConfig config, Architecture architecture, List<String> warnings) {
    String prefix = architecture.id() + ".";
    Sizes sizes = config.sizes();
    metadata
        .u32(prefix + "block_count", sizes.layers())
        .u32(prefix + "context_length", sizes.positions())
        .u32(prefix + "embedding_length", sizes.hidden())
        .u32(prefix + "feed_forward_length", sizes.feedForward())
        .u32(prefix + "vocab_size", sizes.vocab())
        .u32(prefix + "attention.head_count", sizes.heads())
        .u32(prefix + "attention.head_count_kv", sizes.keyValueHeads())
        .u32(prefix + "attention.key_length", sizes.head())
        .u32(prefix + "attention.value_length", sizes.head())
        .f32(prefix + "attention.layer_norm_rms_epsilon", config.normEpsilon());
    double scoreCap = config.layers().getFirst().attention().rule().softCap();
    if (scoreCap > 0) {
      metadata.f32(prefix + "attn_logit_softcapping", scoreCap);
    }
    if (config.finalSoftCap() > 0) {
      metadata.f32(prefix + "final_logit_softcapping", config.finalSoftCap());
    }
    int window =
        config.layers().stream().mapToInt(l -> l.attention().rule().window()).max().orElse(0);
    if (architecture == Architecture.PHI3 || window > 0) {
      metadata.u32(prefix + "attention.sliding_window", window);
    }
    if (window > 0 && !architecture.isGemma()) {
      warnings.add(
          "llama.cpp has no sliding window for this family: texts of more than %d tokens differ"
              .formatted(window));
    }
  }
}
