package dev.nibble.data.batching;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.DataReport;
import dev.nibble.data.samples.Dataset;
import dev.nibble.errors.Remedy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The data of a run. One pass at the start reads and tokenises every row, so that bad rows show
 * before training and the number of steps is known; of each row only its length is kept. Afterwards
 * rows are streamed again in each epoch.
 */
public final class Corpus {
  private final List<Shard> shards;
  private final String description;

  private Corpus(List<Shard> shards, String description) {
    this.shards = shards;
    this.description = description;
  }

  /**
   * Reads the datasets, one after another, all of whose rows must be usable.
   *
   * @throws InvalidDataset when a row cannot be used, or nothing is left to train on
   */
  public static Corpus scan(List<Dataset> datasets) {
    return scan(datasets, 0);
  }

  /**
   * Reads the datasets, one after another.
   *
   * @param mostBad the most rows that are left out because they cannot be used: below 1 a fraction
   *     of all rows, otherwise a number
   * @throws InvalidDataset when there are more of them, with the first of each kind; or when
   *     nothing is left to train on
   */
  public static Corpus scan(List<Dataset> datasets, double mostBad) {
    List<Shard> shards = new ArrayList<>();
    List<List<Shard>> byDataset = new ArrayList<>();
    for (Dataset dataset : datasets) {
      int first = shards.size();
      for (RowSource rows : dataset.rows().shards()) {
        shards.add(Shard.scan(shards.size(), rows, dataset.samples()));
      }
      byDataset.add(List.copyOf(shards.subList(first, shards.size())));
    }
    String description =
        datasets.stream().map(d -> d.rows().describe()).collect(Collectors.joining(", "));
    Corpus corpus = new Corpus(List.copyOf(shards), description);
    Subset all = corpus.all();
    DataReport report = all.report();
    if (report.bad().count() > (mostBad < 1 ? mostBad * report.rows() : mostBad)) {
      throw report.bad().error(description, report.rows());
    }
    for (int i = 0; i < datasets.size(); i++) {
      checkAnythingLearned(datasets.get(i), byDataset.get(i));
    }
    if (all.report().kept() == 0) {
      throw new InvalidDataset(
          "%s: nothing is left to train on: %s".formatted(description, all.report().summary()),
          Remedy.LONGER_LIMIT_OR_OTHER_FORMAT);
    }
    return corpus;
  }

  private static void checkAnythingLearned(Dataset dataset, List<Shard> shards) {
    DataReport report = new Subset(shards, (shard, row) -> true).report();
    if (report.rows() == 0) {
      throw new InvalidDataset(dataset.rows().describe() + ": the dataset has no rows.");
    }
    if (report.unsupervised() == report.rows()) {
      throw new InvalidDataset(
          "%s: no token of any row would be trained on: %s."
              .formatted(
                  dataset.rows().describe(),
                  report.shortfalls().rows().isEmpty()
                      ? dataset.samples().format().unsupervisedReason()
                      : String.join("; ", report.shortfalls().sentences())));
    }
  }

  /** Everything. */
  public Subset all() {
    return new Subset(shards, (shard, row) -> true);
  }

  /**
   * Divides the samples: those with the smallest hashes of the seed and their place are held out,
   * so that there are as many as were asked for, the same ones each time.
   *
   * @param validation below 1 a fraction of the samples, at least one of them; otherwise a number
   *     of samples; 0 for none
   */
  public Split split(double validation, long seed) {
    if (validation == 0) {
      return new Split(all(), new Subset(shards, (shard, row) -> false));
    }
    long samples = all().report().kept();
    if (!(validation > 0 && validation < samples) || (validation > 1 && validation % 1 != 0)) {
      throw new InvalidDataset(
          "the part held out for validation must be 0, a fraction below 1, or a whole number of samples below the %d of %s; is %s"
              .formatted(samples, description, validation),
          Remedy.OTHER_VALIDATION_SIZE);
    }
    long held = validation < 1 ? Math.max(1, Math.round(validation * samples)) : (long) validation;
    if (held >= samples) {
      throw new InvalidDataset(
          "%s: holding out %d of %d samples leaves none to train on"
              .formatted(description, held, samples),
          Remedy.OTHER_VALIDATION_SIZE);
    }
    long limit = sortedHashes(Math.toIntExact(samples), seed)[Math.toIntExact(held)];
    return new Split(
        new Subset(shards, (shard, row) -> hash(seed, shard, row) >= limit),
        new Subset(shards, (shard, row) -> hash(seed, shard, row) < limit));
  }

  private long[] sortedHashes(int samples, long seed) {
    long[] hashes = new long[samples];
    int at = 0;
    for (Shard shard : shards) {
      for (int row = 0; row < shard.table().rows(); row++) {
        if (shard.table().length(row) > 0) {
          hashes[at++] = hash(seed, shard.number(), row);
        }
      }
    }
    Arrays.sort(hashes);
    return hashes;
  }

  private static long hash(long seed, int shard, int row) {
    return SplitMix.hash(seed, shard, row) >>> 1;
  }

  /**
   * The data of a run.
   *
   * @param train the part to train on
   * @param validation the part held out; may be empty
   */
  public record Split(Subset train, Subset validation) {}
}
