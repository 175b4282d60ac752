package dev.nibble.quant.bnb;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a checkpoint that transformers and bitsandbytes saved in 4 bits: those that have a
 * quant state beside them, and no others.
 */
final class FourBitCheckpoint implements StoredWeights {
  private final StoredTensors checkpoint;
  private final SequencedMap<String, QuantState> states;
  private final Set<String> statistics;

  private FourBitCheckpoint(
      StoredTensors checkpoint, SequencedMap<String, QuantState> states, Set<String> statistics) {
    this.checkpoint = checkpoint;
    this.states = states;
    this.statistics = statistics;
  }

  /**
   * Reads every quant state and checks that its weight and its statistics are there, with the
   * dtypes and sizes that it asks for.
   *
   * @return empty when there is no quant state
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, QuantState> states = new LinkedHashMap<>();
    Set<String> statistics = new TreeSet<>();
    for (String name : checkpoint.names()) {
      int at = name.indexOf(QuantState.PREFIX);
      if (at < 0) {
        continue;
      }
      String weight = name.substring(0, at);
      QuantState state = read(checkpoint, name, weight);
      if (states.put(weight, state) != null) {
        throw new UnusableWeight(
            "%s: tensor '%s' has two quant states; expected one"
                .formatted(checkpoint.placeOf(name), weight));
      }
      checkTensors(checkpoint, weight, state);
      state.tensors(weight).stream().skip(1).forEach(t -> statistics.add(t.name()));
    }
    checkNoneIsLeft(checkpoint, statistics);
    checkOneFormat(checkpoint, states);
    return states.isEmpty()
        ? Optional.empty()
        : Optional.of(new FourBitCheckpoint(checkpoint, states, statistics));
  }

  private static QuantState read(StoredTensors checkpoint, String name, String weight) {
    Tensor stored = checkpoint.tensor(name);
    QuantType type =
        Stream.of(QuantType.values())
            .filter(t -> QuantState.tensor(weight, t).equals(name))
            .findFirst()
            .orElseThrow(() ->
                new UnusableWeight(
                    "%s: tensor '%s' is a quant state of a kind that Nibble does not read; it reads %s"
                        .formatted(
                            checkpoint.placeOf(name),
                            name,
                            Stream.of(QuantType.values())
                                .map(t -> QuantState.tensor("…", t))
                                .collect(Collectors.joining(" and ")))));
    return QuantStateReader.read(
        "%s: tensor '%s'".formatted(checkpoint.placeOf(name), name),
        stored.memory().toArray(ValueLayout.JAVA_BYTE),
        type);
  }

  private static void checkTensors(StoredTensors checkpoint, String weight, QuantState state) {
    List<TensorInfo> expected = state.tensors(weight);
    for (TensorInfo info : expected.subList(0, expected.size() - 1)) {
      if (!checkpoint.has(info.name())) {
        throw new UnusableWeight(
            "%s: 4-bit weight '%s' has no '%s', expected %s%s"
                .formatted(
                    checkpoint.placeOf(QuantState.tensor(weight, state.format().type())),
                    weight,
                    info.name(),
                    info.dtype(),
                    info.shape()));
      }
      Tensor found = checkpoint.tensor(info.name());
      // Codes may be typed as floats (bnb_4bit_quant_storage): their bytes are the same.
      boolean codes = info.name().equals(weight);
      if (found.bytes() != info.bytes() || (!codes && found.dtype() != info.dtype())) {
        throw new UnusableWeight(
            "%s: tensor '%s' is %s%s of %d bytes, expected %s of %d bytes for a 4-bit weight %s"
                .formatted(
                    checkpoint.placeOf(info.name()),
                    info.name(),
                    found.dtype(),
                    found.shape(),
                    found.bytes(),
                    codes ? "codes" : info.dtype() + "" + info.shape(),
                    info.bytes(),
                    state.shape()));
      }
    }
  }

  /** Statistics without a state would be taken for tensors of the model. */
  private static void checkNoneIsLeft(StoredTensors checkpoint, Set<String> statistics) {
    checkpoint.names().stream()
        .filter(Predicate.not(statistics::contains))
        .filter(name -> QuantState.weightOf(name).isPresent())
        .findFirst()
        .ifPresent(name -> {
          throw new UnusableWeight(
              "%s: tensor '%s' belongs to no quant state of '%s'"
                  .formatted(
                      checkpoint.placeOf(name), name, QuantState.weightOf(name).orElseThrow()));
        });
  }

  private static void checkOneFormat(
      StoredTensors checkpoint, SequencedMap<String, QuantState> states) {
    if (states.isEmpty()) {
      return;
    }
    var first = states.firstEntry();
    states.forEach((weight, state) -> {
      if (!state.format().equals(first.getValue().format())) {
        throw new UnusableWeight(
            "%s: tensor '%s' is in %s, but '%s' in %s; expected one format for all"
                .formatted(
                    checkpoint.placeOf(weight),
                    weight,
                    state.format().describe(),
                    first.getKey(),
                    first.getValue().format().describe()));
      }
    });
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(states.firstEntry().getValue().format());
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(states.keySet());
  }

  @Override
  public Optional<Shape> shape(String weight) {
    return Optional.ofNullable(states.get(weight)).map(QuantState::shape);
  }

  @Override
  public Set<String> companions() {
    return Collections.unmodifiableSet(statistics);
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    return new FourBitLoader(checkpoint, states, kernels, scope);
  }
}
