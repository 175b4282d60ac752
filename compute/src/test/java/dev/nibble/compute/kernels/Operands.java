package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Makes the tensors of a kernel's call. What is declared of them serves a comparison with the
 * reference, see {@link Trial}, and a benchmark, see {@link Workload}.
 */
interface Operands {

  /** A tensor of the call: {@link #get} gives that of the call which is being made. */
  interface Operand extends Supplier<Tensor> {
    /** How well this result must agree with the reference's. */
    Operand within(Tolerance t);

    /** Sets the first initial values. */
    Operand put(float... values);

    /** Sets one initial value. */
    Operand set(long i, double value);
  }

  /** The dtype of activations and their gradients. */
  DType activations();

  /** Random numbers for initial values. */
  Random random();

  /** An input of normal values times a factor. */
  Operand normal(String name, DType dtype, double factor, long... dims);

  /** An I32 input with values in [0, limit). */
  Operand indices(String name, int limit, long n);

  /** An input of which the caller sets the values. */
  Operand input(String name, DType dtype, long... dims);

  /** What a kernel overwrites. */
  Operand output(String name, DType dtype, long... dims);

  /** What a kernel adds to, or changes in place: normal values until then. */
  Operand gradient(String name, DType dtype, long... dims);

  /** U8 codes that a kernel changes in place, of which every bit counts. */
  Operand codes(String name, long n);

  /** An input of activations, normal values. */
  default Operand normal(String name, long... dims) {
    return normal(name, activations(), 1, dims);
  }

  /** An F32 input of normal values: what trains, a table, or a statistic. */
  default Operand parameter(String name, long... dims) {
    return normal(name, DType.F32, 1, dims);
  }

  /** An output of activations. */
  default Operand output(String name, long... dims) {
    return output(name, activations(), dims);
  }

  /** Activations that a kernel adds to, or changes in place. */
  default Operand gradient(String name, long... dims) {
    return gradient(name, activations(), dims);
  }
}
