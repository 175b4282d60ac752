package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/** Several linear maps of one input: queries, keys and values, or gate and up. */
public sealed interface Projections {

  /** Fills outs, [N, O_i] each, from x [N, I]. */
  void forward(Kernels kernels, List<Tensor> outs, Tensor x, ForwardMode mode);

  /** Adds to dx [N, I] and to the maps' gradients. */
  void backward(Kernels kernels, Tensor dx, List<Tensor> douts, Tensor x, ForwardMode mode);

  /** Adds to the maps' gradients, for an x that needs none. */
  void backwardParameters(Kernels kernels, List<Tensor> douts, Tensor x, ForwardMode mode);

  /** A matrix for each. */
  record Separate(List<Projection> parts) implements Projections {
    public Separate {
      parts = List.copyOf(parts);
    }

    @Override
    public void forward(Kernels kernels, List<Tensor> outs, Tensor x, ForwardMode mode) {
      for (int i = 0; i < parts.size(); i++) {
        parts.get(i).forward(kernels, outs.get(i), x, mode);
      }
    }

    @Override
    public void backward(
        Kernels kernels, Tensor dx, List<Tensor> douts, Tensor x, ForwardMode mode) {
      for (int i = 0; i < parts.size(); i++) {
        parts.get(i).backward(kernels, dx, douts.get(i), x, mode);
      }
    }

    @Override
    public void backwardParameters(
        Kernels kernels, List<Tensor> douts, Tensor x, ForwardMode mode) {
      for (int i = 0; i < parts.size(); i++) {
        parts.get(i).backwardParameters(kernels, douts.get(i), x, mode);
      }
    }
  }

  /**
   * One matrix [O_1 + O_2 + ..., I], which an adapter adapts as a whole.
   *
   * @param scratch [N, O_1 + O_2 + ...], shared by all layers: nothing in it outlives a call
   */
  record Fused(Projection whole, Tensor scratch) implements Projections {
    @Override
    public void forward(Kernels kernels, List<Tensor> outs, Tensor x, ForwardMode mode) {
      Tensor all = scratch.slice(0, x.rows());
      whole.forward(kernels, all, x, mode);
      long from = 0;
      for (Tensor out : outs) {
        kernels.moving().columnsForward(out, all, from);
        from += out.cols();
      }
    }

    @Override
    public void backward(
        Kernels kernels, Tensor dx, List<Tensor> douts, Tensor x, ForwardMode mode) {
      whole.backward(kernels, dx, beside(kernels, douts, x.rows()), x, mode);
    }

    @Override
    public void backwardParameters(
        Kernels kernels, List<Tensor> douts, Tensor x, ForwardMode mode) {
      whole.backwardParameters(kernels, beside(kernels, douts, x.rows()), x, mode);
    }

    /** All gradients in one, [N, O_1 + O_2 + ...]. */
    private Tensor beside(Kernels kernels, List<Tensor> douts, long tokens) {
      Tensor all = scratch.slice(0, tokens);
      kernels.moving().fill(all, 0);
      long from = 0;
      for (Tensor dout : douts) {
        kernels.moving().columnsBackward(all, dout, from);
        from += dout.cols();
      }
      return all;
    }
  }
}
