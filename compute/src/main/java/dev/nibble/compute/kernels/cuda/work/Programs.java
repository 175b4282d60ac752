package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.DeviceFunction;
import dev.nibble.compute.kernels.cuda.driver.PtxModule;
import dev.nibble.compute.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The set's kernels by name, from the PTX on the class path. */
public final class Programs implements AutoCloseable {
  /** The folder of PTX files among the resources. */
  private static final String FOLDER = "/dev/nibble/compute/kernels/cuda/";

  /** Names of the PTX files, one for each file of CUDA sources. */
  public static final List<String> FILES =
      List.of(
          "affine",
          "attention",
          "attention_bf16",
          "attention_delta",
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

  /** Where a kernel is, before its file is compiled. */
  private record Source(String file, Parameters parameters) {}

  private final Context context;
  private final Map<String, Source> sources = new HashMap<>();
  private final Map<String, PtxModule> modules = new HashMap<>();
  private final Map<String, Program> byName = new HashMap<>();
  private final Map<DType, Map<String, Program>> variants = new EnumMap<>(DType.class);

  /**
   * Kernels of PTX files for the context's device. A file is compiled when the first of its kernels
   * is asked for: a run needs some of them, and compiling all takes the driver a minute where it
   * has not cached them.
   */
  public Programs(Context context, List<String> files) {
    this.context = context;
    for (String file : files) {
      Parameters.of(ptx(file))
          .forEach((name, parameters) -> sources.put(name, new Source(file, parameters)));
    }
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
      program = load(name);
      byName.put(name, program);
    }
    return program;
  }

  private Program load(String name) {
    Source source = sources.get(name);
    if (source == null) {
      throw new IllegalStateException(
          "no PTX of this build has the kernel " + name + "; compute/src/main/cuda/build makes it");
    }
    PtxModule module =
        modules.computeIfAbsent(source.file, file -> PtxModule.load(context, file, ptx(file)));
    return new Program(module.function(name), source.parameters);
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
    modules.values().forEach(PtxModule::close);
  }
}
