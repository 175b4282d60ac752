package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One layer of a decoder: its parts in the order of the forward pass, with their sizes and the
 * names of their tensors. Wiring, checks of checkpoints, buffers, counts of operations and GGUF's
 * names follow from it.
 *
 * @param index from 0
 * @param attentionOutputNorm of what attention adds to the residual stream; there in layers that
 *     have a {@code feedForwardOutputNorm} too
 */
public record LayerPlan(
    int index,
    Norm attentionNorm,
    Attention attention,
    Optional<Norm> attentionOutputNorm,
    Norm feedForwardNorm,
    FeedForward feedForward,
    Optional<Norm> feedForwardOutputNorm) {

  /** Checks that both branches end alike. */
  public LayerPlan {
    if (attentionOutputNorm.isPresent() != feedForwardOutputNorm.isPresent()) {
      throw new IllegalArgumentException("layer %d norms one branch's output".formatted(index));
    }
  }

  /**
   * An RMSNorm.
   *
   * @param module path in the checkpoint
   * @param size elements of its weight
   */
  public record Norm(String module, Part part, int size) {
    /** Name of its weight. */
    public String weight() {
      return module + ".weight";
    }
  }

  /**
   * A linear map [O, I].
   *
   * @param module path in the checkpoint
   * @param bias whether it has one
   */
  public record Linear(String module, Part part, int outputs, int inputs, boolean bias) {
    /** Name of its weight. */
    public String weight() {
      return module + ".weight";
    }
  }

  /**
   * Linear maps of one input: a matrix for each, or one matrix whose rows are those of all.
   *
   * @param matrices in the order of the forward pass
   * @param isFused whether one matrix makes several outputs
   */
  public record Inputs(List<Linear> matrices, boolean isFused) {
    /** Copies the list. */
    public Inputs {
      matrices = List.copyOf(matrices);
    }
  }

  /** Norms of each query and key head. */
  public record HeadNorms(Norm query, Norm key) {}

  /**
   * Grouped-query attention.
   *
   * @param inputs of queries, keys and values
   * @param rope empty where positions play no part (NoPE)
   */
  public record Attention(
      Inputs inputs,
      Optional<HeadNorms> headNorms,
      Linear output,
      AttentionRule rule,
      Optional<Rope> rope,
      int heads,
      int keyValueHeads,
      int headSize) {

    /** H * D. */
    public int query() {
      return heads * headSize;
    }

    /** K * D. */
    public int keyValue() {
      return keyValueHeads * headSize;
    }
  }

  /** The plan of a feed-forward part, which works on each token by itself. */
  public sealed interface FeedForward {
    /** Its linear maps, in the order of the forward pass. */
    List<Linear> linears();
  }

  /**
   * down(a(gate(x)) * up(x)).
   *
   * @param inputs gate and up
   * @param width F
   */
  public record GatedMlp(Inputs inputs, Linear down, int width, Activation activation)
      implements FeedForward {
    @Override
    public List<Linear> linears() {
      List<Linear> all = new ArrayList<>(inputs.matrices());
      all.add(down);
      return all;
    }
  }

  /** All linear maps, in the order of the forward pass. */
  public List<Linear> linears() {
    List<Linear> all = new ArrayList<>(attention.inputs.matrices());
    all.add(attention.output);
    all.addAll(feedForward.linears());
    return all;
  }

  /** All tensors, in the order of the forward pass. */
  List<TensorSpec> tensors() {
    List<TensorSpec> all = new ArrayList<>();
    add(all, attentionNorm);
    attention.inputs.matrices().forEach(m -> add(all, m));
    attention.headNorms.ifPresent(n -> {
      add(all, n.query);
      add(all, n.key);
    });
    add(all, attention.output);
    attentionOutputNorm.ifPresent(n -> add(all, n));
    add(all, feedForwardNorm);
    feedForward.linears().forEach(m -> add(all, m));
    feedForwardOutputNorm.ifPresent(n -> add(all, n));
    return all;
  }

  private void add(List<TensorSpec> all, Norm norm) {
    OptionalInt layer = OptionalInt.of(index);
    all.add(new TensorSpec(norm.weight(), Shape.of(norm.size), norm.part, false, layer));
  }

  private void add(List<TensorSpec> all, Linear map) {
    OptionalInt layer = OptionalInt.of(index);
    Shape shape = Shape.of(map.outputs, map.inputs);
    all.add(new TensorSpec(map.weight(), shape, map.part, false, layer));
    if (map.bias) {
      Shape bias = Shape.of(map.outputs);
      all.add(new TensorSpec(map.module + ".bias", bias, map.part, true, layer));
    }
  }
}
