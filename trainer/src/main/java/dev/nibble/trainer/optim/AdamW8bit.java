package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import java.util.List;

/**
 * AdamW with moments in 8 bits (arXiv:2110.02861), in blocks that begin with each parameter. As in
 * bitsandbytes, parameters of fewer than {@value #LEAST} weights keep theirs in F32, and so do
 * embeddings.
 */
public final class AdamW8bit extends Optimizer {
  private static final long LEAST = 4096;
  private static final String SCALES = ".absmax";
  private static final List<StateField> MOMENTS =
      List.of(
          StateField.each(AdamW.FIRST, DType.U8),
          StateField.scales(AdamW.FIRST + SCALES),
          StateField.each(AdamW.SECOND, DType.U8),
          StateField.scales(AdamW.SECOND + SCALES));

  /**
   * The same rule as {@link AdamW}.
   *
   * @param adamW its settings
   */
  public record Settings(AdamW.Settings adamW) implements OptimizerSettings {
    @Override
    public double weightDecay() {
      return adamW.weightDecay();
    }

    @Override
    public Optimizer create(
        Kernels kernels, Parameters parameters, Rates rates, StateMemory memory) {
      return new AdamW8bit(kernels, parameters, adamW, rates, memory);
    }
  }

  private final AdamW.Settings settings;

  /** Takes memory for the moments, all 0. */
  public AdamW8bit(
      Kernels kernels,
      Parameters parameters,
      AdamW.Settings settings,
      Rates rates,
      StateMemory memory) {
    super(
        kernels,
        parameters,
        rates,
        settings.weightDecay(),
        OptimizerState.take(kernels, parameters, AdamW8bit::fields, memory));
    this.settings = settings;
  }

  private static List<StateField> fields(Parameter p) {
    return p.isEmbedding() || p.weight().elements() < LEAST ? AdamW.MOMENTS : MOMENTS;
  }

  @Override
  public String name() {
    return "adamw_8bit";
  }

  @Override
  void move(Stretch s, long step, double learningRate, double decay) {
    var numbers = settings.at(step, learningRate, decay);
    var moments = s.state();
    if (moments.size() == AdamW.MOMENTS.size()) {
      kernels.optimizers().adamW(s.weight(), moments.get(0), moments.get(1), s.gradient(), numbers);
    } else {
      kernels
          .optimizers()
          .adamW8bit(
              s.weight(),
              moments.get(0),
              moments.get(1),
              moments.get(2),
              moments.get(3),
              s.gradient(),
              numbers);
    }
  }
}
