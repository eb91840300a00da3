package hubbub.spark;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.spark.connector.cql.CassandraConnector;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;

/**
 * A Cassandra store, from the driver program and from tasks alike. Its tables are those of {@code cassandra.cql}, which
 * the jar holds, and whose head explains timestamps and the order of writing.
 */
final class CassandraStore implements Serializable {
  private static final long serialVersionUID = 1;
  private static final String TABLES = "/cassandra.cql";
  private static final Duration DDL_TIMEOUT = Duration.ofSeconds(60);
  private static final Pattern STATEMENT =
      Pattern.compile("CREATE TABLE IF NOT EXISTS (\\w+)|ALTER TABLE (\\w+) ADD IF NOT EXISTS (\\w+)");

  private final Address address;
  private final CassandraConnector connector;

  CassandraStore(Address address, SparkConf spark) {
    if (!address.scheme().equals("cassandra")) {
      throw new HubbubException("Spark jobs write to cassandra://HOST/KEYSPACE, not to " + address);
    }
    this.address = address;
    this.connector = CassandraConnector.apply(CassandraSettings.of(address, spark));
  }

  Address address() {
    return address;
  }

  /** A table's full name. */
  String table(String name) {
    return address.place() + "." + name;
  }

  /** A session; to be closed, which gives it back to be shared. Waits for a Cassandra that is away. */
  CqlSession open() {
    return Patience.with("connect to " + address, connector::openSession);
  }

  /** Makes what is missing of the keyspace and the tables. */
  void createTables() {
    Patience.with(
        "make the tables in " + address,
        () -> {
          makeTables();
          return null;
        });
  }

  private void makeTables() {
    try (CqlSession session = open()) {
      List<String> statements = statements();
      Set<String> present = new HashSet<>();
      for (Row row :
          session.execute(
              "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = ?", address.place())) {
        present.add(row.getString("table_name"));
        present.add(row.getString("table_name") + "." + row.getString("column_name"));
      }
      statements.removeIf(statement -> !isNeeded(statement, present));
      if (statements.isEmpty()) {
        return;
      }
      session.setSchemaMetadataEnabled(false); // or each statement has the driver read the whole schema again
      String replication = address.settings().getOrDefault("replication", "1");
      run(session, "CREATE KEYSPACE IF NOT EXISTS " + address.place() + " WITH replication = {'class': "
          + "'NetworkTopologyStrategy', 'replication_factor': " + Integer.parseInt(replication) + "}");
      for (String statement : statements) {
        run(session, statement.replaceFirst("(EXISTS|ALTER TABLE) (\\w+)", "$1 " + address.place() + ".$2"));
      }
      session.setSchemaMetadataEnabled(null);
    }
  }

  /** Whether a table is not there yet, or one of an older hubbub lacks a column; present: tables and table.column. */
  private static boolean isNeeded(String statement, Set<String> present) {
    Matcher parts = STATEMENT.matcher(statement);
    if (!parts.lookingAt()) {
      throw new HubbubException("cassandra.cql has a statement that makes neither a table nor a column: " + statement);
    }
    return parts.group(1) != null
        ? !present.contains(parts.group(1))
        : present.contains(parts.group(2)) && !present.contains(parts.group(2) + "." + parts.group(3));
  }

  private static void run(CqlSession session, String statement) {
    session.execute(SimpleStatement.newInstance(statement).setTimeout(DDL_TIMEOUT));
  }

  /** The statements of cassandra.cql. */
  private static List<String> statements() {
    try (InputStream file = CassandraStore.class.getResourceAsStream(TABLES)) {
      String text = new String(file.readAllBytes(), StandardCharsets.UTF_8).replaceAll("(?m)^--.*$", "");
      List<String> statements = new ArrayList<>();
      for (String statement : text.split(";\\s*\n")) {
        if (!statement.isBlank()) {
          statements.add(statement.strip());
        }
      }
      return statements;
    } catch (IOException e) {
      throw new HubbubException(TABLES + " cannot be read from the jar", e);
    }
  }

  /** How far a layer has read each part of the log. */
  List<Progress> progress(Layer layer) {
    return Patience.with("read the progress in " + address, () -> readProgress(layer));
  }

  private List<Progress> readProgress(Layer layer) {
    try (CqlSession session = open()) {
      List<Progress> parts = new ArrayList<>();
      for (Row row :
          session.execute(
              "SELECT part, start, position, done, late FROM " + table("progress") + " WHERE layer = ?",
              layer.text())) {
        if (!row.isNull("position")) {
          parts.add(
              new Progress(
                  row.getLong("part"),
                  row.getLong("start"),
                  row.getLong("position"),
                  row.getBoolean("done"),
                  row.getLong("late")));
        }
      }
      return parts;
    }
  }

  /** All channels that the store has ever heard of. */
  List<String> channels() {
    try (CqlSession session = open()) {
      List<String> channels = new ArrayList<>();
      for (Row row : session.execute("SELECT channel FROM " + table("channels"))) {
        channels.add(row.getString(0));
      }
      return channels;
    }
  }
}
