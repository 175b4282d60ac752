package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Roofline;
import dev.nibble.trainer.train.Report;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A profile of the kernels of a training loop's steps, after the first, in which code is still
 * being compiled; evaluations and checkpoints between steps do not count.
 */
public final class LoopProfile implements Consumer<Report> {
  private final KernelProfile profile;
  private final Roofline peak;
  private final KernelTimes.Sum sum = new KernelTimes.Sum();
  private boolean started;
  private long steps;

  private LoopProfile(KernelProfile profile, Roofline peak) {
    this.profile = profile;
    this.peak = peak;
  }

  /**
   * Measures what the machine can do at most, which takes some seconds, and waits for the loop;
   * empty where the kernels have no profile.
   */
  public static Optional<LoopProfile> of(Kernels kernels, Consumer<Event> listener) {
    return kernels
        .profile()
        .map(profile -> {
          listener.accept(new Event.Working(Event.Activity.MEASURING_PRODUCTS));
          return new LoopProfile(profile, Roofline.measure(kernels));
        });
  }

  @Override
  public void accept(Report report) {
    if (started) {
      KernelTimes times = profile.stop();
      if (report instanceof Report.StepReport) {
        sum.add(times);
        steps++;
      }
    }
    started = true;
    profile.start();
  }

  /** What was measured; empty where the loop had less than two steps. */
  public Optional<Event> end() {
    return steps == 0
        ? Optional.empty()
        : Optional.of(new Event.KernelsProfiled(sum.take(), steps, peak));
  }
}
