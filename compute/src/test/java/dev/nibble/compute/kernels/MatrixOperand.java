package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.Operands.Operand;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.TiledMatrix;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A frozen matrix whose tensors are operands of a kernel's call.
 *
 * @param values the matrix on the host
 * @param operands by the name of the tensor that they stand for
 */
record MatrixOperand(FrozenMatrix values, Map<String, Operand> operands) {

  private interface Declaration {
    Operand of(String name, DType dtype, long... dims);
  }

  /** A matrix that kernels read. */
  static MatrixOperand input(Operands o, FrozenMatrix values) {
    return of(values, o, false);
  }

  /** A matrix that kernels fill, bit for bit; its tables are given. */
  static MatrixOperand output(Operands o, FrozenMatrix values) {
    return of(values, o, true);
  }

  private static MatrixOperand of(FrozenMatrix values, Operands o, boolean filled) {
    Map<String, Operand> operands = new HashMap<>();
    values.over(t -> {
      boolean given = !filled || t.name().startsWith(SampleMatrices.TABLE);
      Declaration declare = given ? o::input : o::output;
      Operand operand = declare.of(t.name(), t.dtype(), t.shape().dims()).within(Tolerance.EXACT);
      if (given) {
        operand.get().memory().copyFrom(t.memory());
      }
      operands.put(t.name(), operand);
      return t;
    });
    return new MatrixOperand(values, operands);
  }

  /** The same, of a form that kernels multiply by. */
  TiledMatrix tiled() {
    return (TiledMatrix) get();
  }

  /** The matrix of the call that is being made. */
  FrozenMatrix get() {
    return values.over(t -> Objects.requireNonNull(operands.get(t.name())).get());
  }
}
