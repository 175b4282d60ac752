package dev.nibble.quant.gptq;

import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredSettings;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.gptq.GptqFormat.Version;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a checkpoint in {@link GptqLayout}: the modules that have codes.
 *
 * @param weights by the names that they would have were they dense
 * @param stored the format of all of them
 */
record GptqCheckpoint(
    StoredTensors checkpoint, SequencedMap<String, Stored> weights, GptqFormat stored)
    implements StoredWeights {

  /**
   * A weight.
   *
   * @param shape [O, I]
   * @param size of its groups
   */
  private record Stored(Shape shape, int bits, int size, DType scales) {
    boolean wholeRows() {
      return size == shape.dim(1);
    }
  }

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Stored> weights = new LinkedHashMap<>();
    for (String name : checkpoint.names()) {
      if (name.endsWith(GroupedIntegers.CODES)) {
        String module = name.substring(0, name.length() - GroupedIntegers.CODES.length());
        ModuleTensors tensors = new ModuleTensors(checkpoint, module);
        if (GroupedIntegers.packsInputs(tensors)) {
          weights.put(module + ModuleTensors.WEIGHT, read(tensors));
        }
      }
    }
    return weights.isEmpty()
        ? Optional.empty()
        : Optional.of(new GptqCheckpoint(checkpoint, weights, format(checkpoint, weights)));
  }

  private static Stored read(ModuleTensors m) {
    Tensor codes = m.tensor(GroupedIntegers.CODES, GroupedIntegers.CODES);
    Tensor scales = m.tensor(GroupedIntegers.SCALES, GroupedIntegers.CODES);
    Tensor zeros = m.tensor(GroupedIntegers.ZEROS, GroupedIntegers.CODES);
    if (codes.dtype() != DType.I32 || codes.shape().rank() != 2 || codes.elements() == 0) {
      throw m.wrong(
          GroupedIntegers.CODES,
          ModuleTensors.described(codes),
          "I32[inputs * bits / 32, outputs]");
    }
    long rows = codes.dim(1);
    boolean readable =
        scales.dtype() == DType.F16 || scales.dtype() == DType.BF16 || scales.dtype() == DType.F32;
    if (!readable
        || scales.shape().rank() != 2
        || scales.dim(1) != rows
        || scales.elements() == 0) {
      throw m.wrong(
          GroupedIntegers.SCALES,
          ModuleTensors.described(scales),
          "F16, BF16 or F32 [groups, %d]".formatted(rows));
    }
    long groups = scales.dim(0);
    if (zeros.dtype() != DType.I32 || zeros.shape().rank() != 2 || zeros.dim(0) != groups) {
      throw m.wrong(
          GroupedIntegers.ZEROS,
          ModuleTensors.described(zeros),
          "I32[%d, %d * bits / 32]".formatted(groups, rows));
    }
    int bits =
        GptqFormat.BITS.stream()
            .filter(b -> zeros.dim(1) * Integer.SIZE == rows * b)
            .findFirst()
            .orElseThrow(() ->
                m.wrong(
                    GroupedIntegers.ZEROS,
                    ModuleTensors.described(zeros),
                    "I32[%d, %d * bits / 32] of 8, 4, 3 or 2 bits".formatted(groups, rows)));
    long cols = codes.dim(0) * Integer.SIZE / bits;
    if (codes.dim(0) * Integer.SIZE % bits != 0 || cols % groups != 0) {
      throw m.wrong(
          GroupedIntegers.SCALES,
          ModuleTensors.described(scales),
          "a number of groups that divides %d words of codes of %d bits"
              .formatted(codes.dim(0), bits));
    }
    if (m.has(GroupedIntegers.INDEX)) {
      m.require(GroupedIntegers.INDEX, DType.I32, Shape.of(cols));
    }
    return new Stored(Shape.of(rows, cols), bits, Math.toIntExact(cols / groups), scales.dtype());
  }

  /** What the tensors have in common, and what the files beside them add. */
  private static GptqFormat format(StoredTensors checkpoint, SequencedMap<String, Stored> weights) {
    Stored first =
        weights.values().stream()
            .filter(s -> !s.wholeRows())
            .findFirst()
            .orElse(weights.firstEntry().getValue());
    weights.forEach((weight, stored) -> {
      boolean sameGroups = stored.size() == first.size() || stored.wholeRows();
      if (stored.bits() != first.bits() || !sameGroups) {
        throw new UnusableWeight(
            "%s: '%s' is in %d bits, groups of %d, and others are in %d bits, groups of %d; expected one for all"
                .formatted(
                    checkpoint.placeOf(module(weight) + GroupedIntegers.CODES),
                    weight,
                    stored.bits(),
                    stored.size(),
                    first.bits(),
                    first.size()));
      }
    });
    StoredSettings settings =
        StoredSettings.of(
            checkpoint, module(weights.firstEntry().getKey()) + GroupedIntegers.CODES);
    String key = settings.text(GptqLayout.VERSION, Version.GPTQ.key());
    Version version =
        GptqReader.version(key)
            .orElseThrow(() ->
                new UnusableWeight(
                    "%s: \"%s\" is \"%s\", expected \"gptq\" or \"gptq_v2\""
                        .formatted(settings.file(), GptqLayout.VERSION, key)));
    double damping = settings.number("damp_percent", GptqFormat.DEFAULT_DAMPING);
    return new GptqFormat(
        first.bits(),
        first.wholeRows() ? GptqFormat.WHOLE_ROWS : first.size(),
        settings.flag("sym", true),
        settings.flag("desc_act", false),
        damping > 0 && Double.isFinite(damping) ? damping : GptqFormat.DEFAULT_DAMPING,
        version);
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(weights.keySet());
  }

  @Override
  public Optional<Shape> shape(String weight) {
    return Optional.ofNullable(weights.get(weight)).map(Stored::shape);
  }

  @Override
  public Set<String> companions() {
    return weights.keySet().stream()
        .flatMap(w ->
            Stream.of(
                    GroupedIntegers.CODES,
                    GroupedIntegers.ZEROS,
                    GroupedIntegers.SCALES,
                    GroupedIntegers.INDEX)
                .map(part -> module(w) + part))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** The index is kept where it says more than the order of inputs. */
  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    return weight -> {
      Stored of = weights.get(weight);
      if (of == null) {
        throw new IllegalArgumentException(weight + " is dense");
      }
      boolean planned = kernels.memory().isPlanned(); // a plan reads no weights
      int[] index = planned ? new int[0] : index(weight, of);
      Affine matrix =
          GroupedIntegers.allocate(
              scope,
              weight,
              of.shape().dim(0),
              of.shape().dim(1),
              of.bits(),
              of.size(),
              of.scales(),
              planned ? stored.actOrder() : index.length > 0);
      if (!planned) {
        load(kernels, module(weight), matrix, index);
      }
      return matrix;
    };
  }

  /** The group of each input; empty when these are consecutive. */
  private int[] index(String weight, Stored of) {
    String name = module(weight) + GroupedIntegers.INDEX;
    if (!checkpoint.has(name)) {
      return new int[0];
    }
    int[] index = checkpoint.tensor(name).toInts();
    int groups = Math.toIntExact(of.shape().dim(1) / of.size());
    boolean consecutive = true;
    for (int i = 0; i < index.length; i++) {
      if (index[i] < 0 || index[i] >= groups) {
        throw new UnusableWeight(
            "%s: tensor '%s' has %d at [%d], expected a group from 0 to %d"
                .formatted(checkpoint.placeOf(name), name, index[i], i, groups - 1));
      }
      consecutive &= index[i] == i / of.size();
    }
    checkpoint.unload(name);
    return consecutive ? new int[0] : index;
  }

  private void load(Kernels kernels, String module, Affine matrix, int[] index) {
    int rows = Math.toIntExact(matrix.rows());
    int groups = Math.toIntExact(matrix.cols() / matrix.groups().size());
    try (Scope host = Scope.open("unpacked weight", Memory.host())) {
      Tensor words = checkpoint.tensor(module + GroupedIntegers.CODES);
      Tensor codes = host.allocate("codes", DType.I32, rows, words.dim(0));
      codes.put(GptqPacking.transposed(words.toInts(), (int) words.dim(0), rows));
      Tensor bytes = Tensor.onHost("codes", DType.U8, matrix.codes().shape(), codes.memory());
      kernels.moving().copy(matrix.codes(), bytes);
      checkpoint.unload(module + GroupedIntegers.CODES);

      byte[] zeros =
          GptqPacking.zeros(
              checkpoint.tensor(module + GroupedIntegers.ZEROS),
              matrix.bits(),
              rows,
              stored.version().less());
      Tensor whole = host.allocate("zeros", DType.U8, zeros.length);
      Affine.pack(zeros, Byte.SIZE, whole);
      kernels.moving().copy(matrix.zeros().plain(), whole);
      checkpoint.unload(module + GroupedIntegers.ZEROS);

      Tensor scales = checkpoint.tensor(module + GroupedIntegers.SCALES);
      NonFinite.refuse(scales, checkpoint.placeOf(module + GroupedIntegers.SCALES));
      Tensor turned = host.allocate("scales", scales.dtype(), (long) rows * groups);
      GroupedIntegers.transpose(turned, scales, groups, rows);
      kernels.moving().copy(matrix.scales().plain(), turned);
      checkpoint.unload(module + GroupedIntegers.SCALES);

      if (matrix.index().isPresent()) {
        Tensor near = host.allocate("g_idx", DType.I32, index.length).put(index);
        kernels.moving().copy(matrix.index().get(), near);
      }
    }
  }
}
