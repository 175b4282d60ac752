package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.DeviceFunction;
import dev.nibble.compute.kernels.cuda.driver.PtxModule;
import dev.nibble.compute.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The set's kernels by name, compiled from the PTX on the class path. */
public final class Programs implements AutoCloseable {
  /** The folder of PTX files among the resources. */
  private static final String FOLDER = "/dev/nibble/compute/kernels/cuda/";

  /** Names of the PTX files, one for each file of CUDA sources. */
  public static final List<String> FILES =
      List.of(
          "affine",
          "attention",
          "attention_bf16",
          "fourbit",
          "lattice",
          "loss",
          "moving",
          "norms",
          "optimizers",
          "outliers",
          "pointwise",
          "products");

  /** A kernel and its parameters. */
  public record Program(DeviceFunction function, Parameters parameters) {
    String name() {
      return function.name();
    }
  }

  private final List<PtxModule> modules = new ArrayList<>();
  private final Map<String, Program> byName = new HashMap<>();
  private final Map<DType, Map<String, Program>> variants = new EnumMap<>(DType.class);

  /** Compiles PTX files for the context's device; the driver caches what it compiled. */
  public Programs(Context context, List<String> files) {
    try {
      for (String file : files) {
        load(context, file);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void load(Context context, String file) {
    String ptx = ptx(file);
    PtxModule module = PtxModule.load(context, file, ptx);
    modules.add(module);
    Parameters.of(ptx)
        .forEach(
            (name, parameters) -> byName.put(name, new Program(module.function(name), parameters)));
  }

  /** The text of a PTX file. */
  static String ptx(String file) {
    try (InputStream in = Programs.class.getResourceAsStream(FOLDER + file + ".ptx")) {
      if (in == null) {
        throw new IllegalStateException(
            "the class path has no %s.ptx; compute/src/main/cuda/build makes it".formatted(file));
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ".ptx of the class path", e);
    }
  }

  /** The kernel of this name. */
  public Program get(String name) {
    Program program = byName.get(name);
    if (program == null) {
      throw new IllegalStateException(
          "no PTX of this build has the kernel " + name + "; compute/src/main/cuda/build makes it");
    }
    return program;
  }

  /** The kernel's variant for a dtype, for example {@code add_bf16}. */
  public Program get(String name, DType variant) {
    Map<String, Program> known = variants.computeIfAbsent(variant, v -> new HashMap<>());
    Program program = known.get(name);
    if (program == null) {
      program = get(name + "_" + variant.name().toLowerCase(Locale.ROOT));
      known.put(name, program);
    }
    return program;
  }

  @Override
  public void close() {
    modules.forEach(PtxModule::close);
  }
}
