package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The description of an adapter: its method, sizes and target modules. Each method of adapting is
 * one case, which knows all that differs between methods: what trains, how a linear map computes,
 * how it is merged, and how PEFT names and describes it.
 */
public sealed interface AdapterSpec permits LoraSpec, Ia3Spec, VeraSpec {

  /** PEFT's name of the method: {@code peft_type} in adapter_config.json. */
  String peftType();

  /** The modules that the adapter is on. */
  TargetModules targets();

  /** The same adapter on other modules. */
  AdapterSpec withTargets(TargetModules other);

  /**
   * The same adapter without what says nothing of the modules that it is on: PEFT allows targets
   * and patterns that match none.
   *
   * @param modules that a file has the adapter on
   * @param withHead whether the output head may be among them without being a target
   */
  default AdapterSpec inUse(Set<String> modules, boolean withHead) {
    return withTargets(targets().inUse(modules, withHead));
  }

  /**
   * Checks that the adapter can be trained on these targets, and that nothing in its description
   * does nothing.
   *
   * @throws AdapterException when it cannot, or something does nothing
   */
  default void checkTrainable(List<AdapterTarget> targets) {}

  /**
   * Modules that train as a whole beside the adapter: names that a module's path ends with, as PEFT
   * has it.
   */
  List<String> modulesToSave();

  /** The method, sizes and targets in a few words, such as "LoRA r 16, alpha 32, on q_proj". */
  String describe();

  /** Declares what trains. */
  void declare(Parameters.Builder builder, List<AdapterTarget> targets);

  /**
   * Fills the parameters with their initial values and takes scratch memory.
   *
   * @param parameters hold what {@link #declare} declared for the same targets
   * @param seed of the initial values
   */
  Adapter build(
      List<AdapterTarget> targets, Parameters parameters, long seed, Kernels kernels, Scope scope);

  /**
   * Floating-point operations of matrix products, for each token of a training step, that the
   * adapter adds to those of the frozen map. A multiplication and an addition are two.
   *
   * @param forwards how often the map goes forward; it goes backward once
   * @param inputGradient whether backward gives the gradient of the map's input
   */
  double operations(AdapterTarget target, double forwards, boolean inputGradient);

  /** The ends of the names of a module's tensors in PEFT's files, such as ".lora_A.weight". */
  List<String> tensorSuffixes();

  /** The names of the tensors in PEFT's files that all modules share. */
  default List<String> sharedTensors() {
    return List.of();
  }

  /**
   * The keys of adapter_config.json that are this method's own.
   *
   * @param targetNames the names that target_modules lists; empty when it holds an expression
   */
  Map<String, @Nullable Object> peftKeys(Set<String> targetNames);

  /**
   * The changes that merging one module's part of the adapter makes.
   *
   * @throws AdapterException when tensors of the module are missing
   */
  List<TensorMerge> merges(AdapterTensors module);

  /**
   * A trained adapter in the form that belongs on the base as it is, which every reader of PEFT's
   * files can use.
   *
   * @param parameters of a model that was built with this
   */
  default SavedAdapter forUnchangedBase(Parameters parameters, Kernels kernels) {
    return SavedAdapter.exact(this, parameters, kernels);
  }

  /** True when the initial values are taken out of the base weights, which then change. */
  default boolean changesBase() {
    return false;
  }

  /**
   * Checks that such an adapter, as it was saved, can be merged.
   *
   * @throws AdapterException when it cannot
   */
  default void checkMergeable() {}

  /**
   * Checks that the adapter can start on a base model.
   *
   * @param head whether a target is the output head
   * @param tiedHead whether the base ties the output head to the embeddings
   * @param quantized whether linear maps inside the blocks are quantised
   * @throws AdapterException when it cannot
   */
  default void checkBase(boolean head, boolean tiedHead, boolean quantized) {}

  /** The same adapter with initial values that take no time to find, for measurements. */
  default AdapterSpec withFastStart() {
    return this;
  }
}
