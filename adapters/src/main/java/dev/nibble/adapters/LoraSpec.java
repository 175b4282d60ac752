package dev.nibble.adapters;

import java.util.List;

/**
 * What a LoRA adapter (arXiv:2106.09685) looks like.
 *
 * @param ranks rank and scale of each module
 * @param dropout rate in [0, 1) on the adapter's input, when training
 * @param targets which modules get one
 * @param modulesToSave modules that train as a whole beside the adapter: names that a module's path
 *     ends with, as PEFT has it
 * @param dora whether a magnitude for each output trains too (DoRA, arXiv:2402.09353)
 * @param bias whether B has a bias
 * @param start initial values
 */
public record LoraSpec(
    LoraRanks ranks,
    double dropout,
    TargetModules targets,
    List<String> modulesToSave,
    boolean dora,
    boolean bias,
    LoraStart start) {

  /** Checks the ranges, and that the parts go together. */
  public LoraSpec {
    modulesToSave = List.copyOf(modulesToSave);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new AdapterException("LoRA dropout must be at least 0 and below 1, got " + dropout);
    }
    if (bias && dora) {
      throw new AdapterException(
          "a bias of the adapter does not go with DoRA: leave one of them out");
    }
    if (bias && !(start instanceof LoraStart.Zero || start instanceof LoraStart.Noise)) {
      throw new AdapterException(
          "a bias of the adapter goes with its default and its random start only, not with "
              + start.written());
    }
    if (modulesToSave.stream().anyMatch(String::isBlank)) {
      throw new AdapterException("modules_to_save holds an empty name");
    }
    if (start instanceof LoraStart.Orthogonal) {
      checkEven(ranks.r());
      ranks.rankPattern().values().forEach(LoraSpec::checkEven);
    }
  }

  /** Plain LoRA. */
  public LoraSpec(int r, double alpha, double dropout, TargetModules targets) {
    this(LoraRanks.same(r, alpha), dropout, targets, List.of(), false, false, new LoraStart.Zero());
  }

  private static void checkEven(int rank) {
    if (rank % 2 != 0) {
      throw new AdapterException("init_lora_weights orthogonal needs an even rank, got " + rank);
    }
  }

  /** With other ranks and scales. */
  public LoraSpec withRanks(LoraRanks other) {
    return new LoraSpec(other, dropout, targets, modulesToSave, dora, bias, start);
  }

  /** On other modules. */
  public LoraSpec withTargets(TargetModules other) {
    return new LoraSpec(ranks, dropout, other, modulesToSave, dora, bias, start);
  }

  /** With modules that train as a whole. */
  public LoraSpec withModulesToSave(String... names) {
    return new LoraSpec(ranks, dropout, targets, List.of(names), dora, bias, start);
  }

  /** As DoRA. */
  public LoraSpec withDora() {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, true, bias, start);
  }

  /** With a bias in B. */
  public LoraSpec withBias() {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, dora, true, start);
  }

  /** With other initial values. */
  public LoraSpec withStart(LoraStart other) {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, dora, bias, other);
  }
}
