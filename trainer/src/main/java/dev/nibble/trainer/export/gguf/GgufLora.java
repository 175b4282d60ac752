package dev.nibble.trainer.export.gguf;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraNames;
import dev.nibble.adapters.LoraRanks;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.errors.Remedy;
import dev.nibble.quant.NonFinite;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.gguf.TensorLayout.Change;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Writes a LoRA adapter as a GGUF file that llama.cpp loads beside its base model. */
public final class GgufLora {
  private static final String MODULE_END = ".weight";

  /** What the update B A of a module is multiplied by. */
  interface Scaling {
    /** The factor s of a module such as {@code model.layers.0.self_attn.q_proj}. */
    double of(String module);
  }

  private final Path file;
  private final SafetensorsFile adapter;
  private final ModelConfig config;
  private final double alpha;
  private final Scaling scaling;
  private final GgufType type;
  private final Set<String> unused;
  private final List<GgufTensor> tensors = new ArrayList<>();

  private GgufLora(
      Path file,
      SafetensorsFile adapter,
      ModelConfig config,
      double alpha,
      Scaling scaling,
      GgufType type) {
    this.file = file;
    this.adapter = adapter;
    this.config = config;
    this.alpha = alpha;
    this.scaling = scaling;
    this.type = type;
    this.unused = new TreeSet<>(adapter.names());
  }

  /**
   * Writes an adapter.
   *
   * @param adapterFolder an adapter in PEFT's layout
   * @param baseFolder holds the base model
   * @param out the file, replaced as a whole or not at all
   * @param type F32 or F16
   * @throws ExportException when the adapter is more than A and B of linear modules
   */
  public static GgufReport write(Path adapterFolder, Path baseFolder, Path out, GgufType type) {
    AdapterSpec spec = PeftAdapter.open(adapterFolder).spec();
    if (!(spec instanceof LoraSpec lora)) {
      throw new ExportException(
          "%s holds an adapter of type %s, and llama.cpp applies LoRA adapters alone"
              .formatted(adapterFolder, spec.peftType()),
          Remedy.EXPORT_MERGED);
    }
    LoraRanks ranks = lora.ranks();
    return write(adapterFolder, baseFolder, out, type, ranks.alpha(), ranks::scale);
  }

  /**
   * Writes an adapter with a factor for each module.
   *
   * @param alpha llama.cpp multiplies B A by alpha / r; B makes up for the rest
   */
  static GgufReport write(
      Path adapterFolder, Path baseFolder, Path out, GgufType type, double alpha, Scaling scaling) {
    if (type != GgufType.F32 && type != GgufType.F16) {
      throw new ExportException("a GGUF adapter is F32 or F16, not %s".formatted(type));
    }
    ModelConfig config = ModelConfig.of(baseFolder);
    Path file = adapterFolder.resolve(PeftAdapter.WEIGHTS);
    try (SafetensorsFile adapter = Safetensors.open(file)) {
      return new GgufLora(file, adapter, config, alpha, scaling, type).write(out);
    }
  }

  private GgufReport write(Path out) {
    Architecture architecture = Architecture.of(config);
    for (TensorLayout.Entry e : TensorLayout.of(config, architecture, !config.tiedHead())) {
      boolean linear = e.shape().rank() == 2 && !e.source().equals(ModelTensors.EMBEDDING);
      if (linear && adapter.has(LoraNames.a(module(e.source())))) {
        add(e);
      }
    }
    if (!unused.isEmpty()) {
      throw new ExportException(
          "%s holds %s, which a GGUF adapter cannot".formatted(file, String.join(", ", unused)),
          Remedy.EXPORT_MERGED);
    }
    if (tensors.isEmpty()) {
      throw new ExportException(file + " holds no adapter of a linear module");
    }
    GgufMetadata metadata =
        new GgufMetadata()
            .text("general.architecture", architecture.id())
            .text("general.type", "adapter")
            .u32("general.file_type", type.fileType())
            .u32("general.quantization_version", GgufModel.QUANTIZATION_VERSION)
            .text("adapter.type", "lora")
            .f32("adapter.lora.alpha", alpha);
    return new GgufReport(
        GgufWriter.write(out, metadata, tensors), tensors.size(), List.of(), List.of());
  }

  private void add(TensorLayout.Entry e) {
    String module = module(e.source());
    Tensor a = part(LoraNames.a(module));
    Tensor b = part(LoraNames.b(module));
    long rank = a.rows();
    check(a, Shape.of(rank, e.shape().dim(1)));
    check(b, Shape.of(e.shape().dim(0), rank));
    float factor = (float) (scaling.of(module) * rank / alpha);
    tensors.add(new GgufTensor(e.name() + ".lora_a", a.shape(), type, out -> copy(a, out, 1)));
    tensors.add(
        new GgufTensor(
            e.name() + ".lora_b",
            b.shape(),
            type,
            out -> {
              copy(b, out, factor);
              if (e.change() == Change.INTERLEAVE) {
                TensorLayout.interleave(out, config.sizes().head());
              }
            }));
  }

  private static String module(String weight) {
    return weight.substring(0, weight.length() - MODULE_END.length());
  }

  private Tensor part(String name) {
    unused.remove(name);
    if (!adapter.has(name)) {
      throw new ExportException("%s has no %s".formatted(file, name));
    }
    Tensor tensor = adapter.tensor(name);
    if (tensor.dtype().isFloating()) {
      NonFinite.refuse(tensor, file.toString());
    }
    return tensor;
  }

  private void check(Tensor tensor, Shape expected) {
    if (!tensor.shape().equals(expected) || !tensor.dtype().isFloating()) {
      throw new ExportException(
          "%s: %s is %s%s, but the base model's config.json asks for %s"
              .formatted(file, tensor.name(), tensor.dtype(), tensor.shape(), expected));
    }
  }

  /** Adapters are small: element by element is fast enough. */
  private static void copy(Tensor from, Tensor to, float factor) {
    for (long i = 0; i < from.elements(); i++) {
      to.setFloat(i, from.getFloat(i) * factor);
    }
  }
}
