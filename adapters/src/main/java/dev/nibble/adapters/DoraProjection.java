package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * A frozen map whose direction and length are adapted apart (DoRA, arXiv:2402.09353). With V = W +
 * s B A and n the lengths of V's rows, which count as constants in backward, as in section 4.3 of
 * the paper, out = (m / n) V x + bias.
 *
 * <p>With dropout d, as PEFT has it: out = W x + (m / n) V d(x) - W d(x) + bias.
 *
 * <p>n comes from products no larger than B, see {@link NormKernels#inverseRowNorms}: no step makes
 * W or V in full.
 */
final class DoraProjection implements Projection {
  private final FrozenProjection base;
  private final LowRankUpdate update;
  private final InputDropout dropout;
  private final Parameter magnitude; // m [O]
  private final Tensor squares; // [O], of W's rows
  private final Tensor inverse; // 1/n [O], as of the latest forward
  private final Tensor factor; // m/n [O], as of the latest forward
  private final DoraScratch scratch;

  /** Sets m to the lengths of V's rows, so that the adapter changes nothing beyond V. */
  DoraProjection(
      FrozenProjection base,
      LowRankUpdate update,
      InputDropout dropout,
      Parameter magnitude,
      DoraScratch scratch,
      Kernels kernels,
      Scope scope) {
    this.base = base;
    this.update = update;
    this.dropout = dropout;
    this.magnitude = magnitude;
    this.scratch = scratch;
    long outputs = magnitude.weight().elements();
    this.squares = scope.allocate("adapters/dora_squares", DType.F32, outputs);
    this.inverse = scope.allocate("adapters/dora_inverse", DType.F32, outputs);
    this.factor = scope.allocate("adapters/dora_factor", DType.F32, outputs);
    RowLengths.squares(squares, base.weight(), kernels);
    base.products().reserve(base.weight(), DType.F32, update.a().weight().rows());
    measure(kernels);
    RowLengths.reciprocals(magnitude.weight(), inverse, kernels);
  }

  /** 1/n and m/n for the present A, B and m. */
  private void measure(Kernels kernels) {
    Tensor a = update.a().weight();
    Tensor b = update.b().weight();
    Tensor p = scratch.p().prefix(a.rows(), b.rows());
    Tensor gram = scratch.gram().prefix(a.rows(), a.rows());
    Tensor q = scratch.q().prefix(b.rows(), a.rows());
    base.product(kernels, p, a);
    kernels.products().linearForward(gram, a, a);
    kernels.products().linearForward(q, b, gram);
    kernels.norms().inverseRowNorms(inverse, squares, b, p, q, update.scale());
    kernels.pointwise().scaleColumns(factor, magnitude.weight(), inverse);
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    measure(kernels);
    if (!dropout.drops(mode)) {
      adapted(kernels, out, x);
      kernels.pointwise().scaleColumns(out, out, factor);
    } else {
      Tensor dropped = dropout.forward(kernels, x, mode);
      Tensor v = scratch.v().prefix(out.rows(), out.cols());
      adapted(kernels, v, dropped);
      kernels.pointwise().scaleColumns(v, v, factor);
      kernels.pointwise().scale(dropped, -1);
      kernels.pointwise().add(dropped, dropped, x);
      base.product(kernels, out, dropped); // W (x - d(x))
      kernels.pointwise().add(out, out, v);
    }
    if (base.bias().isPresent()) {
      kernels.products().biasForward(out, base.bias().get());
    }
  }

  /** out = V input. */
  private void adapted(Kernels kernels, Tensor out, Tensor input) {
    base.product(kernels, out, input);
    update.forward(kernels, out, input);
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    Tensor input = dropout.forward(kernels, x, mode);
    Tensor dv = backwardMagnitude(kernels, dout, input);
    if (!dropout.drops(mode)) {
      update.backward(kernels, dx, dv, input);
      base.backward(kernels, dx, dv);
      return;
    }
    Tensor dinput = dropout.zeroGradient(kernels, x);
    update.backward(kernels, dinput, dv, input);
    kernels.pointwise().scale(dv, -1);
    kernels.pointwise().add(dv, dv, dout);
    kernels.pointwise().scale(dv, -1); // less the gradient of W d(x)
    base.backward(kernels, dinput, dv);
    dropout.backward(kernels, dx, dinput, mode);
    base.backward(kernels, dx, dout);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    Tensor input = dropout.forward(kernels, x, mode);
    update.backwardParameters(kernels, backwardMagnitude(kernels, dout, input), input);
  }

  /** Adds to the gradient of m; gives that of V d(x) [N, O], in scratch. */
  private Tensor backwardMagnitude(Kernels kernels, Tensor dout, Tensor input) {
    Tensor v = scratch.v().prefix(dout.rows(), dout.cols());
    adapted(kernels, v, input);
    Tensor dfactor = scratch.dfactor().prefix(dout.cols());
    kernels.moving().fill(dfactor, 0);
    kernels.pointwise().columnDots(dfactor, dout, v);
    kernels.pointwise().scaleColumns(dfactor, dfactor, inverse);
    kernels.pointwise().add(magnitude.gradient(), magnitude.gradient(), dfactor);
    kernels.pointwise().scaleColumns(v, dout, factor);
    return v;
  }
}
