package dev.nibble.recipes.recipe;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.recipes.schema.AutoFlag;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel set of a run, and the options that it is opened with.
 *
 * @param kernels name of the set, or {@link KernelSets#AUTO} for the fastest that runs here
 * @param options options that it is opened with
 */
public record Machine(String kernels, KernelOptions options) {

  /**
   * Finds the kernel set.
   *
   * @throws dev.nibble.compute.kernels.KernelUnavailable when it cannot run here
   */
  public KernelSet kernelSet() {
    return KernelSets.choose(kernels);
  }

  Device device() {
    return new Device(kernels, options.device());
  }

  /** The dtype of activations for a wish for bfloat16. */
  public static Activations activations(AutoFlag bf16) {
    return switch (bf16) {
      case AUTO -> Activations.AUTO;
      case TRUE -> Activations.BF16;
      case FALSE -> Activations.F32;
    };
  }

  /**
   * A kernel set by the name that recipes and the command line give it, with the number of the GPU.
   *
   * @param kernels name of the set, or {@link KernelSets#AUTO}
   * @param index number of the GPU; empty for the first that can be used
   */
  public record Device(String kernels, OptionalInt index) {
    /** The forms that {@link #parse} takes. */
    public static final String FORMS = "auto, cpu, nd4j, cuda, or cuda:N for GPU number N";

    /** The fastest set that runs here. */
    public static final Device AUTO = new Device(KernelSets.AUTO, OptionalInt.empty());

    private static final Pattern FORM = Pattern.compile("(auto|cpu|nd4j|cuda)|cuda:(\\d{1,4})");

    /** The device of this name; empty when it is none. */
    public static Optional<Device> parse(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        return Optional.empty();
      }
      String index = form.group(2);
      return Optional.of(
          index == null
              ? new Device(text, OptionalInt.empty())
              : new Device("cuda", OptionalInt.of(Integer.parseInt(index))));
    }

    /** Whether it computes on the host, whatever the machine has. */
    boolean isHost() {
      return kernels.equals("cpu") || kernels.equals("nd4j");
    }

    /** The name that {@link #parse} reads. */
    @Override
    public String toString() {
      return index.isEmpty() ? kernels : kernels + ":" + index.getAsInt();
    }
  }
}
