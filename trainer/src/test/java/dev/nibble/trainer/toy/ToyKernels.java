package dev.nibble.trainer.toy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Tensor;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** The few kernels that the loop itself calls, as plain loops on the host; any other throws. */
public final class ToyKernels {
  private ToyKernels() {}

  /** A kernel set. */
  public static Kernels open() {
    return proxy(Kernels.class);
  }

  private static <T> T proxy(Class<T> type) {
    Object proxy =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) ->
                isTheme(method.getReturnType())
                    ? proxy(method.getReturnType())
                    : call(method.getName(), args));
    return type.cast(proxy);
  }

  private static boolean isTheme(Class<?> type) {
    return type.isInterface() && type.getPackage() == Kernels.class.getPackage();
  }

  private static @Nullable Object call(String method, Object[] args) {
    switch (method) {
      case "name" -> {
        return "toy";
      }
      case "memory" -> {
        return Memory.host();
      }
      case "fill" -> fill((Tensor) args[0], (double) args[1]);
      case "copy" -> copy((Tensor) args[0], (Tensor) args[1]);
      case "scale" -> scale((Tensor) args[0], (double) args[1]);
      case "sumOfSquares" -> sumOfSquares((Tensor) args[0], (Tensor) args[1]);
      case "adamW" ->
          adamW(
              (Tensor) args[0],
              (Tensor) args[1],
              (Tensor) args[2],
              (Tensor) args[3],
              (AdamWStep) args[4]);
      case "close" -> {}
      default -> throw new UnsupportedOperationException(method);
    }
    return null;
  }

  private static void fill(Tensor out, double value) {
    for (long i = 0; i < out.elements(); i++) {
      out.setFloat(i, value);
    }
  }

  private static void copy(Tensor out, Tensor in) {
    for (long i = 0; i < out.elements(); i++) {
      out.setFloat(i, in.getDouble(i));
    }
  }

  private static void scale(Tensor x, double factor) {
    for (long i = 0; i < x.elements(); i++) {
      x.setFloat(i, x.getFloat(i) * (float) factor);
    }
  }

  private static void sumOfSquares(Tensor out, Tensor x) {
    double sum = out.getDouble(0);
    for (long i = 0; i < x.elements(); i++) {
      sum += x.getDouble(i) * x.getDouble(i);
    }
    out.setFloat(0, sum);
  }

  private static void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep s) {
    for (long i = 0; i < weight.elements(); i++) {
      double g = gradient.getFloat(i);
      double m1 = s.beta1() * m.getFloat(i) + (1 - s.beta1()) * g;
      double v1 = s.beta2() * v.getFloat(i) + (1 - s.beta2()) * g * g;
      m.setFloat(i, m1);
      v.setFloat(i, v1);
      double w = weight.getFloat(i) * (1 - s.learningRate() * s.weightDecay());
      double root = Math.sqrt(v1 / (1 - Math.pow(s.beta2(), (double) s.step()))) + s.epsilon();
      double update = m1 / (1 - Math.pow(s.beta1(), (double) s.step())) / root;
      weight.setFloat(i, w - s.learningRate() * update);
    }
  }
}
