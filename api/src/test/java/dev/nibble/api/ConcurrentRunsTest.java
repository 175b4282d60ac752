package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.event.Event;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two runs at once in one process give the bits that each gives alone. */
class ConcurrentRunsTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void doNotDisturbEachOther() throws Exception {
    TinyRun.in(folder);
    Nibble.silent().tuner(Recipes.read(folder.resolve("pretrain.yaml"), List.of())).train();
    Nibble.silent().tuner(run("a-alone", 1)).train();
    Nibble.silent().tuner(run("b-alone", 2)).train();

    CyclicBarrier bothInTheLoop = new CyclicBarrier(2);
    List<Thread> threads = new CopyOnWriteArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
      List<Future<?>> runs =
          List.of(run("a", 1), run("b", 2)).stream()
              .<Future<?>>map(recipe ->
                  executor.submit(() -> {
                    Nibble.reportingTo(event -> meet(event, bothInTheLoop, threads))
                        .tuner(recipe)
                        .train();
                    return recipe;
                  }))
              .toList();
      for (Future<?> run : runs) {
        run.get();
      }
    }
    assertThat(threads).doesNotHaveDuplicates().hasSize(2);
    for (String run : List.of("a", "b")) {
      for (String file :
          List.of("adapter_model.safetensors", "checkpoint-8/optimizer.safetensors", "eval.json")) {
        assertThat(folder.resolve(run).resolve(file))
            .hasSameBinaryContentAs(folder.resolve(run + "-alone").resolve(file));
      }
    }
  }

  /** Neither run begins its loop before the other is there. */
  private static void meet(Event event, CyclicBarrier barrier, List<Thread> threads) {
    if (event instanceof Event.LoopStarted) {
      threads.add(Thread.currentThread());
      try {
        barrier.await();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private Recipe run(String out, int seed) {
    return Recipes.read(
        folder.resolve("qlora.yaml"), List.of("seed=" + seed, "output_dir=" + folder.resolve(out)));
  }
}
