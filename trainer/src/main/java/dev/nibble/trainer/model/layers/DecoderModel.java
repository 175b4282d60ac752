package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.LayeredModel;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.ForwardPasses;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.objective.Outputs;
import java.util.List;
import java.util.Optional;

/** A decoder-only transformer of any family: embedding, L blocks, a norm and the output head. */
public final class DecoderModel implements CausalLm, LayeredModel {

  /** The place of the embeddings' noise among the masks of a pass; projections count from 0. */
  private static final int NOISE = -1;

  private final ModelConfig config;
  private final Kernels kernels;
  private final Scope scope;
  private final Parameters parameters;
  private final Embedder embedder;
  private final List<Block> blocks;
  private final LmHead head;
  private final int maxBatchTokens;
  private final double noise;
  private final Training training;
  private final Workspace workspace;
  private final List<RopeTables> ropes;
  private final Sequences inputBuffers;
  private Workspace work;
  private Sequences inputs;

  /**
   * Stacks layers, and takes the buffers of a pass.
   *
   * @param scope owns all of the model's memory
   * @param parameters what trains
   */
  public DecoderModel(
      ModelConfig config,
      Kernels kernels,
      Scope scope,
      Parameters parameters,
      Embedder embedder,
      List<Block> blocks,
      LmHead head,
      ModelOptions options) {
    this.config = config;
    this.kernels = kernels;
    this.scope = scope;
    this.parameters = parameters;
    this.embedder = embedder;
    this.blocks = List.copyOf(blocks);
    this.head = head;
    this.maxBatchTokens = options.maxBatchTokens();
    this.noise = options.embeddingNoise();
    this.training = options.training();
    Buffers buffers = Buffers.of(kernels, scope);
    this.workspace =
        Workspace.allocate(
            buffers, config, maxBatchTokens, parameters.train(), options.checkpointing());
    this.ropes =
        RopeTables.allocate(scope, config, Math.min(maxBatchTokens, config.longestSample()));
    this.inputBuffers = Sequences.allocate(buffers, maxBatchTokens, ropes);
    this.work = workspace;
    this.inputs = inputBuffers;
  }

  @Override
  public int vocabSize() {
    return config.sizes().vocab();
  }

  @Override
  public int maxBatchTokens() {
    return maxBatchTokens;
  }

  @Override
  public int maxPositions() {
    return config.longestSample();
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public LossSum accumulate(Batch batch, long seed, Objective objective) {
    if (!parameters.train()) {
      throw new IllegalStateException("nothing trains in this model: call evaluate");
    }
    ForwardMode mode = ForwardMode.training(seed);
    Passes passes = new Passes(batch, mode);
    LossSum loss = objective.accumulate(passes, batch);
    passes.require(mode);
    backward(mode);
    return loss;
  }

  @Override
  public LossSum evaluate(Batch batch, Objective objective) {
    return objective.evaluate(new Passes(batch, ForwardMode.EVALUATION), batch);
  }

  /** The passes over one batch, of which only the latest has its activations in the workspace. */
  private final class Passes implements ForwardPasses {
    private final Batch batch;
    private final ForwardMode mode;
    private Optional<ForwardMode> latest = Optional.empty();

    Passes(Batch batch, ForwardMode mode) {
      check(batch);
      this.batch = batch;
      this.mode = mode;
    }

    @Override
    public Outputs model() {
      Outputs outputs = run(mode);
      if (mode.dropout()) {
        kernels.moving().fill(work.dresidual(), 0);
      }
      return outputs;
    }

    @Override
    public Outputs base() {
      requireBase();
      return run(ForwardMode.BASE);
    }

    private Outputs run(ForwardMode ofPass) {
      latest = Optional.of(ofPass);
      return new Pass(this, ofPass, layers(batch, ofPass));
    }

    void require(ForwardMode pass) {
      if (!latest.equals(Optional.of(pass))) {
        throw new IllegalStateException(
            "the latest forward pass was %s, expected %s".formatted(latest, pass));
      }
    }
  }

  /** The outputs of a pass: the residual stream after the last layer, [N, C]. */
  private final class Pass implements Outputs {
    private final Passes passes;
    private final ForwardMode mode;
    private final Tensor last;

    Pass(Passes passes, ForwardMode mode, Tensor last) {
      this.passes = passes;
      this.mode = mode;
      this.last = last;
    }

    @Override
    public void read(int[] positions, LogitsReader reader) {
      passes.require(mode);
      head.read(kernels, last, positions, mode, reader);
    }

    @Override
    public void accumulate(int[] positions, LogitsGradient loss) {
      passes.require(mode);
      if (!mode.dropout()) {
        throw new IllegalStateException("no gradient of a pass in evaluation mode");
      }
      head.accumulate(kernels, work.dresidual(), last, positions, mode, loss);
    }
  }

  /** Completes a gradient that has come as far as the last layer's output. */
  private void backward(ForwardMode mode) {
    Tensor dx = work.dresidual();
    for (int l = blocks.size() - 1; l >= 0; l--) {
      Block block = blocks.get(l);
      Tensor x = work.residual(l);
      if (work.overwritten(l)) {
        block.recompute(kernels, work.residual(l + 1), work.saved(l), x, inputs, mode);
      }
      if (l > 0 || firstInputTrains()) {
        block.backward(kernels, dx, work.gradients(), work.saved(l), x, inputs, mode);
      } else {
        block.backwardParameters(kernels, dx, work.gradients(), work.saved(l), x, inputs, mode);
      }
    }
    if (embedder.trains()) {
      embedder.backward(kernels, dx, inputs);
    }
  }

  /** Whether anything before the first layer's projections trains. */
  private boolean firstInputTrains() {
    return embedder.trains() || blocks.getFirst().norm1().gradient().isPresent();
  }

  @Override
  public float[][] logits(Batch batch) {
    check(batch);
    Tensor last = layers(batch, ForwardMode.EVALUATION);
    int[] all = new int[batch.length()];
    for (int i = 0; i < all.length; i++) {
      all[i] = i;
    }
    return head.logits(kernels, last, all, ForwardMode.EVALUATION);
  }

  @Override
  public Optional<String> firstNonFinite(Batch batch) {
    check(batch);
    return firstNonFiniteLayer(batch).or(() -> firstNonFiniteLogit(batch));
  }

  /**
   * As {@link #layers}, looking at what each layer has computed before the next may overwrite it.
   */
  private Optional<String> firstNonFiniteLayer(Batch batch) {
    ForwardMode mode = ForwardMode.EVALUATION;
    embed(batch, mode);
    if (!isFinite(work.residual(0))) {
      return Optional.of("the embeddings");
    }
    for (int l = 0; l < blocks.size(); l++) {
      Tensor out = work.residual(l + 1);
      Block.Saved saved = work.saved(l);
      blocks.get(l).forward(kernels, out, saved, work.residual(l), inputs, mode);
      for (Tensor t : saved.inOrder()) {
        if (!isFinite(t)) {
          return Optional.of("%s of layer %d".formatted(t.name().split("/", 2)[1], l));
        }
      }
      if (!isFinite(out)) {
        return Optional.of("the output of layer " + l);
      }
    }
    return Optional.empty();
  }

  private Optional<String> firstNonFiniteLogit(Batch batch) {
    for (float[] ofToken : logits(batch)) {
      for (float logit : ofToken) {
        if (!Float.isFinite(logit)) {
          return Optional.of("the logits");
        }
      }
    }
    return Optional.empty();
  }

  private boolean isFinite(Tensor t) {
    for (float value : TensorValues.of(kernels, t)) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  /** The residual stream behind the last layer, [N, C]. */
  private Tensor layers(Batch batch, ForwardMode mode) {
    embed(batch, mode);
    for (int l = 0; l < blocks.size(); l++) {
      Tensor x = work.residual(l);
      blocks.get(l).forward(kernels, work.residual(l + 1), work.saved(l), x, inputs, mode);
    }
    return work.residual(blocks.size());
  }

  @Override
  public int layers() {
    return blocks.size();
  }

  @Override
  public int hidden() {
    return config.sizes().hidden();
  }

  @Override
  public void embed(Batch batch, Tensor out) {
    check(batch);
    embed(batch, ForwardMode.EVALUATION);
    kernels.moving().copy(out, work.residual(0));
  }

  @Override
  public void layer(int index, Batch batch, Tensor out, Tensor x) {
    check(batch);
    embed(batch, ForwardMode.EVALUATION);
    Tensor in = work.residual(index);
    kernels.moving().copy(in, x);
    blocks
        .get(index)
        .forward(
            kernels,
            work.residual(index + 1),
            work.saved(index),
            in,
            inputs,
            ForwardMode.EVALUATION);
    kernels.moving().copy(out, work.residual(index + 1));
  }

  /** Makes the first layer's input, and all other inputs of the layers. */
  private void embed(Batch batch, ForwardMode mode) {
    begin(batch.tokens(), batch.positions(), segments(batch.starts()), ropes, longest(batch), mode);
    if (mode.dropout() && noise > 0) {
      kernels
          .pointwise()
          .addNoise(work.residual(0), inputs.segments().tensor(), noise, mode.maskSeed(NOISE));
    }
  }

  /**
   * One pass of a decoder: logits at {@code wanted} positions of the packed tokens.
   *
   * @param longest tokens of the longest sequence, those in the caches counted
   * @param mode the same in all passes over these caches
   */
  float[][] decode(
      int[] tokens,
      int[] positions,
      int[] segments,
      List<RopeTables> tables,
      int longest,
      List<KeyValueCache> caches,
      int[] wanted,
      ForwardMode mode) {
    begin(tokens, positions, segments, tables, longest, mode);
    for (int l = 0; l < blocks.size(); l++) {
      Tensor x = work.residual(l);
      Tensor out = work.residual(l + 1);
      blocks.get(l).decode(kernels, out, work.saved(l), x, inputs, caches.get(l), mode);
    }
    return head.logits(kernels, work.residual(blocks.size()), wanted, mode);
  }

  @Override
  public Decoder decoder(int sequences, int capacity) {
    return decoder(sequences, capacity, ForwardMode.EVALUATION);
  }

  @Override
  public Optional<String> baseIsLost() {
    return training.baseIsLost();
  }

  @Override
  public Decoder baseDecoder(int sequences, int capacity) {
    requireBase();
    return decoder(sequences, capacity, ForwardMode.BASE);
  }

  private void requireBase() {
    baseIsLost()
        .ifPresent(reason -> {
          throw new IllegalStateException("this model has no frozen base: " + reason);
        });
  }

  private Decoder decoder(int sequences, int capacity, ForwardMode mode) {
    if (capacity > config.longestSample()) {
      throw new ModelException(
          "%d tokens (prompt and answer) exceed the model's max_position_embeddings = %d"
              .formatted(capacity, config.longestSample()));
    }
    return new CachedDecoder(
        this, config, kernels, scope.child("decoder"), sequences, capacity, mode);
  }

  /** Makes the input of the first layer. */
  private void begin(
      int[] tokens,
      int[] positions,
      int[] segments,
      List<RopeTables> tables,
      int longest,
      ForwardMode mode) {
    if (work.residual(0).dim(0) != tokens.length) {
      work = workspace.forTokens(tokens.length);
    }
    tables.forEach(t -> t.fill(kernels, longest));
    inputs = inputBuffers.fill(kernels, tokens, positions, segments, tables);
    embedder.forward(kernels, work.residual(0), inputs, mode);
  }

  /** The most tokens of one sample. */
  private static int longest(Batch batch) {
    int longest = 0;
    for (int s = 0; s < batch.samples(); s++) {
      longest = Math.max(longest, batch.starts()[s + 1] - batch.starts()[s]);
    }
    return longest;
  }

  private static int[] segments(int[] starts) {
    int[] segments = new int[4 * (starts.length - 1)];
    for (int s = 0; s + 1 < starts.length; s++) {
      int length = starts[s + 1] - starts[s];
      segments[4 * s] = starts[s];
      segments[4 * s + 1] = length;
      segments[4 * s + 2] = starts[s];
      segments[4 * s + 3] = length;
    }
    return segments;
  }

  private void check(Batch batch) {
    if (batch.length() > maxBatchTokens) {
      throw new IllegalArgumentException(
          "batch of %d tokens; this model was built for at most %d"
              .formatted(batch.length(), maxBatchTokens));
    }
    if (longest(batch) > config.longestSample()) {
      throw new ModelException(
          "sample of %d tokens; the model's max_position_embeddings is %d"
              .formatted(longest(batch), config.longestSample()));
    }
    checkTokens(batch.tokens());
  }

  /** Refuses what the embedding has no row for. */
  void checkTokens(int[] tokens) {
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] < 0 || tokens[i] >= config.sizes().vocab()) {
        throw new ModelException(
            "token %d at position %d is outside the vocabulary of %d; is this the model's tokenizer?"
                .formatted(tokens[i], i, config.sizes().vocab()));
      }
    }
  }
}
