package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.AutoFlag;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What computes.
 *
 * @param device where, and with what
 * @param bf16 whether activations have 16 bits
 * @param cublas whether matrix products are NVIDIA's
 * @param deviceMemory who allocates the GPU's memory
 * @param debug how errors of the GPU are found
 * @param threads number of threads; 0 for one a core
 */
public record Machine(
    Device device,
    AutoFlag bf16,
    Cublas cublas,
    DeviceMemory deviceMemory,
    Debug debug,
    int threads) {

  /** Where the run computes, and with what. */
  public sealed interface Device {
    /** What {@link #parse} takes. */
    String FORMS = "auto, cpu, nd4j, cuda, or cuda:N for GPU number N";

    /** The device of this name; empty when it is none. */
    static Optional<Device> parse(String text) {
      Matcher cuda = Pattern.compile("cuda(?::(\\d{1,4}))?").matcher(text);
      if (cuda.matches()) {
        String index = cuda.group(1);
        return Optional.of(
            new Cuda(
                index == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(index))));
      }
      return switch (text) {
        case "auto" -> Optional.of(new Auto());
        case "cpu" -> Optional.of(new Cpu());
        case "nd4j" -> Optional.of(new Nd4j());
        default -> Optional.empty();
      };
    }

    /** On the GPU where there is one, else on the processor. */
    record Auto() implements Device {}

    /** On the processor, with oneDNN and the Vector API. */
    record Cpu() implements Device {}

    /** On the processor, with ND4J. */
    record Nd4j() implements Device {}

    /**
     * On an NVIDIA GPU.
     *
     * @param index its number; empty for the first that can be used
     */
    record Cuda(OptionalInt index) implements Device {}
  }

  /** Whether matrix products are cuBLAS's. */
  public sealed interface Cublas {
    /** Where it is found. */
    record Auto() implements Cublas {}

    /** No: Nibble's own. */
    record None() implements Cublas {}

    /** Of this library. */
    record At(Path library) implements Cublas {}
  }

  /** Who allocates the GPU's memory. */
  public enum DeviceMemory {
    /** ND4J where its CUDA backend is there and can, else the driver. */
    AUTO,
    /** NVIDIA's driver. */
    DRIVER,
    /** ND4J. */
    ND4J
  }

  /** How errors of the GPU are found. */
  public enum Debug {
    /** As they come up, some time later. */
    NONE,
    /** Each kernel is waited for. */
    SYNC
  }
}
