package dev.nibble.trainer.checkpoint;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.Rates;
import dev.nibble.trainer.optim.StateMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The readers of a checkpoint's files, and sound files, for the fuzzer. */
public final class CheckpointReading {
  private CheckpointReading() {}

  /** Reads {@code trainer_state.json}. */
  public static void trainerState(Path folder) throws IOException {
    TrainerStateFile.read(folder);
  }

  /** Reads {@code optimizer.safetensors} into an AdamW of two small parameters. */
  public static void optimizer(Path folder) throws IOException {
    OptimizerFile.read(folder, Open.OPTIMIZER, 3);
  }

  /** Such a file. */
  public static byte[] soundOptimizer() {
    return written(
        OptimizerFile.NAME,
        folder -> {
          try (HostCopies host = new HostCopies(Open.KERNELS)) {
            OptimizerFile.write(folder, Open.OPTIMIZER, host);
          }
        });
  }

  /** An optimizer that reads one file after another. */
  private static final class Open {
    static final Kernels KERNELS = new CpuKernelSet().open(KernelOptions.exact(1));
    static final AdamW OPTIMIZER = optimizer();

    private static AdamW optimizer() {
      Scope scope = Scope.open("fuzz", Memory.host());
      Parameters parameters =
          new Parameters.Builder()
              .add("a", true, 4, 3)
              .add("b", false, 5)
              .allocate(scope, "weights");
      return new AdamW(
          KERNELS,
          parameters,
          new AdamW.Settings(0.9, 0.999, 1e-8, 0.01),
          new Rates(4, 0.5),
          StateMemory.resident(scope));
    }
  }

  /** A {@code trainer_state.json} with every number 3. */
  public static byte[] soundState() {
    return written(
        TrainerStateFile.NAME,
        folder -> TrainerStateFile.write(folder, (TrainerState) filled(TrainerState.class)));
  }

  @FunctionalInterface
  private interface Writer {
    void write(Path folder) throws IOException;
  }

  private static byte[] written(String name, Writer writer) {
    try {
      Path folder = Files.createTempDirectory("checkpoint");
      writer.write(folder);
      Path file = folder.resolve(name);
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      Files.delete(folder);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Object filled(Class<?> type) {
    if (type == long.class) {
      return 3L;
    }
    if (type == int.class) {
      return 3;
    }
    if (type == double.class) {
      return 3.0;
    }
    if (type == boolean.class) {
      return true;
    }
    if (type == String.class) {
      return "x";
    }
    if (type == List.class) {
      return List.of();
    }
    if (type == Optional.class) {
      return Optional.empty();
    }
    if (type == OptionalInt.class) {
      return OptionalInt.empty();
    }
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      return constructor.newInstance(Arrays.stream(types).map(CheckpointReading::filled).toArray());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
