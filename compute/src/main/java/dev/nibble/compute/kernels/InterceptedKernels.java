package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;

/**
 * A kernel set that hands every operation of another set's themes to {@link #call}, which times,
 * counts, checks or leaves out what is called. All else is the other set's.
 */
public abstract class InterceptedKernels implements Kernels {
  private final Kernels real;
  private final MovingKernels moving;
  private final NormKernels norms;
  private final AttentionKernels attention;
  private final ProductKernels products;
  private final PointwiseKernels pointwise;
  private final LossKernels loss;
  private final OptimizerKernels optimizers;

  /** Kernels over {@code real}; closing them closes it. */
  @SuppressWarnings("this-escape") // themes call this set later, not while it is made
  protected InterceptedKernels(Kernels real) {
    this.real = real;
    moving = intercepted(MovingKernels.class, real.moving());
    norms = intercepted(NormKernels.class, real.norms());
    attention = intercepted(AttentionKernels.class, real.attention());
    products = intercepted(ProductKernels.class, real.products());
    pointwise = intercepted(PointwiseKernels.class, real.pointwise());
    loss = intercepted(LossKernels.class, real.loss());
    optimizers = intercepted(OptimizerKernels.class, real.optimizers());
  }

  /** An operation of the other set. */
  public static final class Operation {
    private final Object theme;
    private final Method method;

    private Operation(Object theme, Method method) {
      this.theme = theme;
      this.method = method;
    }

    /** As the theme calls it, for example {@code linearForward}. */
    public String name() {
      return method.getName();
    }

    /** Runs it. */
    public void run(Object... args) {
      try {
        method.invoke(theme, args);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        throw (Error) e.getCause();
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Stands for an operation that is called with {@code args}. */
  protected abstract void call(Operation operation, Object[] args);

  private <T> T intercepted(Class<T> type, T theme) {
    Object proxy =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              call(new Operation(theme, method), args);
              return null;
            });
    return type.cast(proxy);
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public Memory memory() {
    return real.memory();
  }

  @Override
  public DType activations() {
    return real.activations();
  }

  @Override
  public MovingKernels moving() {
    return moving;
  }

  @Override
  public NormKernels norms() {
    return norms;
  }

  @Override
  public AttentionKernels attention() {
    return attention;
  }

  @Override
  public ProductKernels products() {
    return products;
  }

  @Override
  public PointwiseKernels pointwise() {
    return pointwise;
  }

  @Override
  public LossKernels loss() {
    return loss;
  }

  @Override
  public OptimizerKernels optimizers() {
    return optimizers;
  }

  @Override
  public Optional<KernelProfile> profile() {
    return real.profile();
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return real.pager(scope, pageBytes, paging);
  }

  @Override
  public void close() {
    real.close();
  }
}
