package dev.nibble.compute.kernels;

import dev.nibble.errors.Remedy;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Options of opening a kernel set. A set that cannot fulfil them refuses to open.
 *
 * @param threads of the host; 0 means one for each core
 * @param activations their dtype
 * @param device number of the accelerator; empty for the first that can be used
 * @param debug what to find out about kernels
 * @param cublas NVIDIA's matrix products
 * @param deviceMemory who allocates the accelerator's memory
 */
public record KernelOptions(
    int threads,
    Activations activations,
    OptionalInt device,
    Debug debug,
    Cublas cublas,
    DeviceMemory deviceMemory) {

  /** The dtype of activations and their gradients. */
  public enum Activations {
    /** BF16 where the hardware multiplies it, else F32. */
    AUTO,
    /** Exact. */
    F32,
    /** Half the memory, and twice the rate of matrix products or more. */
    BF16
  }

  /** What is found out about kernels while they run. */
  public enum Debug {
    /** Nothing: an error of an accelerator comes up some time after its kernel. */
    NONE,
    /** Which kernel an error comes from, since each is waited for. Slow. */
    SYNC,
    /** How long each kernel takes: see {@link Kernels#profile}. */
    PROFILE
  }

  /** The allocator of accelerator memory. */
  public enum DeviceMemory {
    /** A library on the class path that offers it, else the driver. */
    AUTO,
    /** The driver. */
    DRIVER,
    /** ND4J's CUDA backend: tensors lie in its INDArrays. */
    ND4J
  }

  /** The choice of matrix products on a GPU: cuBLAS, or the set's own kernels. */
  public sealed interface Cublas {
    /** cuBLAS where it is found. */
    record Auto() implements Cublas {}

    /** The set's own kernels. */
    record None() implements Cublas {}

    /** cuBLAS from this file. */
    record At(Path library) implements Cublas {}

    /** {@code auto} or {@code none}; empty for another word, which may be a file's path. */
    static Optional<Cublas> named(String word) {
      return switch (word) {
        case "auto" -> Optional.of(new Auto());
        case "none" -> Optional.of(new None());
        default -> Optional.empty();
      };
    }
  }

  /** Checks the numbers. */
  public KernelOptions {
    if (threads < 0) {
      throw new IllegalArgumentException(
          "threads: expected 0 (one for each core) or more, got " + threads);
    }
    if (device.isPresent() && device.getAsInt() < 0) {
      throw new IllegalArgumentException(
          "device: accelerators are counted from 0, got " + device.getAsInt());
    }
  }

  /** The default options on this number of host threads; 0 means one for each core. */
  public static KernelOptions ofThreads(int threads) {
    return new KernelOptions(
        threads,
        Activations.AUTO,
        OptionalInt.empty(),
        Debug.NONE,
        new Cublas.Auto(),
        DeviceMemory.AUTO);
  }

  /** Activations in F32 on every set, for comparing numbers. */
  public static KernelOptions exact(int threads) {
    return new KernelOptions(
        threads,
        Activations.F32,
        OptionalInt.empty(),
        Debug.NONE,
        new Cublas.Auto(),
        DeviceMemory.AUTO);
  }

  /** The same with another choice of what is found out. */
  public KernelOptions debugging(Debug other) {
    return new KernelOptions(threads, activations, device, other, cublas, deviceMemory);
  }

  /** The same with another choice of matrix products. */
  public KernelOptions multiplyingBy(Cublas other) {
    return new KernelOptions(threads, activations, device, debug, other, deviceMemory);
  }

  /** The same with activations in F32, for comparing numbers. */
  public KernelOptions inFloat32() {
    return computingIn(Activations.F32);
  }

  /** The same with activations in another dtype. */
  public KernelOptions computingIn(Activations other) {
    return new KernelOptions(threads, other, device, debug, cublas, deviceMemory);
  }

  /**
   * For sets whose activations are always F32.
   *
   * @throws KernelUnavailable when others are asked for
   */
  public void requireFloat32(String set) {
    if (activations == Activations.BF16) {
      throw new KernelUnavailable(
          "activations in bfloat16 need the kernel set cuda or cpu; %s computes in float32"
              .formatted(set),
          Remedy.AUTOMATIC_ACTIVATIONS);
    }
  }

  /**
   * For sets that compute on the host.
   *
   * @throws KernelUnavailable when an accelerator's options are asked for
   */
  public void requireHost(String set) {
    if (device.isPresent()) {
      throw new KernelUnavailable(
          "kernel set %s runs on the host and has no device %d".formatted(set, device.getAsInt()));
    }
    if (cublas instanceof Cublas.At(Path library)) {
      throw new KernelUnavailable(
          "the cuBLAS library %s is for the kernel set cuda; %s has its own matrix products"
              .formatted(library, set),
          Remedy.AUTOMATIC_PRODUCTS);
    }
    if (deviceMemory != DeviceMemory.AUTO) {
      throw new KernelUnavailable(
          "device memory from %s is for the kernel set cuda; %s works in the host's"
              .formatted(deviceMemory.name().toLowerCase(Locale.ROOT), set),
          Remedy.AUTOMATIC_DEVICE_MEMORY);
    }
  }
}
