package dev.nibble.trainer.model.config;

import dev.nibble.compute.files.FolderLinks;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.trainer.model.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A decoder-only model, as its config.json describes it: one record for all families, filled by one
 * class for each ({@link LlamaFamily} and its neighbours).
 *
 * @param family {@code model_type}
 * @param normEpsilon of RMSNorm
 * @param normOffset what every norm adds to its stored weight
 * @param finalSoftCap c of c * tanh(logit / c); 0 for none
 * @param scaledEmbedding embeddings are multiplied by sqrt(C)
 * @param tiedHead the output head is the embedding table
 * @param initializerRange standard deviation of random initial weights
 */
public record ModelConfig(
    String family,
    Sizes sizes,
    List<LayerPlan> layers,
    double normEpsilon,
    double normOffset,
    double finalSoftCap,
    boolean scaledEmbedding,
    boolean tiedHead,
    double initializerRange) {

  /** Copies the list, and checks that layers can share their buffers. */
  public ModelConfig {
    layers = List.copyOf(layers);
    List<List<Shape>> sizesByLayer = layers.stream().map(ModelConfig::shapes).toList();
    for (int i = 1; i < sizesByLayer.size(); i++) {
      if (!sizesByLayer.get(i).equals(sizesByLayer.getFirst())) {
        throw new IllegalArgumentException(
            "layer %d of %s has tensors of shapes %s, layer 0 of %s; layers share buffers, so all must be alike"
                .formatted(i, family, sizesByLayer.get(i), sizesByLayer.getFirst()));
      }
    }
  }

  private static List<Shape> shapes(LayerPlan layer) {
    return layer.tensors().stream().map(TensorSpec::shape).toList();
  }

  /** A model of layers that are wired alike. */
  ModelConfig(
      String family,
      Sizes sizes,
      LayerWiring wiring,
      List<LayerAttention> attention,
      double normEpsilon,
      double finalSoftCap,
      boolean scaledEmbedding,
      boolean tiedHead,
      double initializerRange) {
    this(
        family,
        sizes,
        wiring.layers(sizes, attention),
        normEpsilon,
        wiring.normOffset(),
        finalSoftCap,
        scaledEmbedding,
        tiedHead,
        initializerRange);
  }

  /**
   * The model in a folder. The folder may lack tensors; where it has them, they say whose head the
   * model has, see {@link #withHeadOf}.
   *
   * @throws ModelException when there is no config.json, or it asks for what is not supported
   */
  public static ModelConfig of(Path folder) {
    ModelConfig written = written(folder);
    if (!written.tiedHead() || !ShardedSafetensors.isIn(folder)) {
      return written;
    }
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      return written.withHeadOf(checkpoint);
    }
  }

  /**
   * The same with tensors that are open already.
   *
   * @param checkpoint of the folder
   */
  public static ModelConfig of(Path folder, StoredTensors checkpoint) {
    return written(folder).withHeadOf(checkpoint);
  }

  private static ModelConfig written(Path folder) {
    Path file = folder.resolve(ModelFolder.CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new ModelException(
          "%s is not a model: it has no config.json. Give a folder with config.json, tokenizer.json and model.safetensors"
              .formatted(folder));
    }
    FolderLinks.check(folder);
    return read(file);
  }

  /**
   * The same, not tied where a checkpoint holds an output head besides the embeddings that differs
   * from them: as in transformers 5, the tensors count, whatever config.json says.
   */
  ModelConfig withHeadOf(StoredTensors checkpoint) {
    boolean ownHead =
        tiedHead
            && checkpoint.has(ModelTensors.HEAD)
            && checkpoint.has(ModelTensors.EMBEDDING)
            && !checkpoint
                .tensor(ModelTensors.HEAD)
                .hasValuesOf(checkpoint.tensor(ModelTensors.EMBEDDING));
    return ownHead ? with(sizes, layers, false) : this;
  }

  /**
   * Reads a config.json of transformers 4 or 5. Keys that are missing have the defaults of the
   * family's class in transformers.
   *
   * @throws ModelException when the file is none, or asks for what is not supported
   */
  static ModelConfig read(Path file) {
    return read(ConfigJson.read(file));
  }

  /**
   * Reads a config.json of this text.
   *
   * @param name what errors call the file
   */
  public static ModelConfig parse(String name, String json) {
    return read(ConfigJson.parse(Path.of(name), json));
  }

  static ModelConfig read(ConfigJson c) {
    ModelConfig config = family(c);
    FamilyKeys.refuseThoseOfOthers(c);
    return config;
  }

  private static ModelConfig family(ConfigJson c) {
    return switch (c.text("model_type", "")) {
      case "llama" -> LlamaFamily.read(c);
      case "mistral" -> MistralFamily.read(c);
      case "qwen2" -> QwenFamily.readQwen2(c);
      case "qwen3" -> QwenFamily.readQwen3(c);
      case "smollm3" -> SmolLm3Family.read(c);
      case "phi3" -> Phi3Family.read(c);
      case "gemma2" -> GemmaFamily.readGemma2(c);
      case "gemma3_text" -> GemmaFamily.readGemma3(c);
      case "gemma3" ->
          throw c.wrong("model_type", "gemma3_text, the model without images; not gemma3");
      default ->
          throw c.wrong(
              "model_type", "llama, mistral, qwen2, qwen3, smollm3, phi3, gemma2, gemma3_text");
    };
  }

  /** The same model with its first layers alone, at most so many. */
  public ModelConfig firstLayers(int most) {
    int count = Math.min(most, layers.size());
    return with(sizes.withLayers(count), layers.subList(0, count), tiedHead);
  }

  private ModelConfig with(Sizes otherSizes, List<LayerPlan> otherLayers, boolean tied) {
    return new ModelConfig(
        family,
        otherSizes,
        otherLayers,
        normEpsilon,
        normOffset,
        finalSoftCap,
        scaledEmbedding,
        tied,
        initializerRange);
  }

  /** Number of weights; a tied output head counts once. */
  public long weights() {
    return ModelTensors.of(this).stream().mapToLong(t -> t.shape().elements()).sum();
  }

  /** The different ropes of the layers, in order of their first layer. */
  public List<Rope> ropes() {
    return layers.stream().flatMap(l -> l.attention().rope().stream()).distinct().toList();
  }

  /** Which of {@link #ropes} rotates a layer's queries and keys; empty where none does. */
  public OptionalInt rope(LayerPlan layer) {
    Optional<Rope> rope = layer.attention().rope();
    return rope.isPresent() ? OptionalInt.of(ropes().indexOf(rope.get())) : OptionalInt.empty();
  }

  /** The most tokens of one sample: no limit where rope stretches itself to any length. */
  public int longestSample() {
    boolean grows = ropes().stream().anyMatch(r -> r.scaling() instanceof RopeScaling.Dynamic);
    return grows ? Integer.MAX_VALUE : sizes.positions();
  }

  /** Equal for lengths of samples whose rope has the same frequencies. */
  public int representative(int length) {
    return ropes().stream().mapToInt(r -> r.scaling().representative(length)).max().orElse(0);
  }

  /** True when a sequence that grows so has to compute its keys anew. */
  public boolean forgetsCache(int before, int after) {
    return ropes().stream().anyMatch(r -> r.scaling().forgetsCache(before, after));
  }

  /** True when some sequence may have to. */
  public boolean mayForgetCache() {
    return forgetsCache(1, sizes.positions());
  }
}
