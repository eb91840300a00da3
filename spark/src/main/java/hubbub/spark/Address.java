package hubbub.spark;

import java.io.Serializable;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where a log or a store is, as hubbub writes it: {@code SCHEME://HOSTS/PLACE?KEY=VALUE&…}, or a path.
 *
 * @param scheme "kafka", "cassandra", or "file"
 * @param hosts "10.0.0.1:9092,10.0.0.2:9092"; empty of a path
 * @param place a topic, a keyspace, or the path
 * @param settings may hold passwords: not for messages
 */
public record Address(String scheme, String hosts, String place, Map<String, String> settings) implements Serializable {

  static Address parse(String text) {
    int schemeEnd = text.indexOf("://");
    if (schemeEnd < 0) {
      return new Address("file", "", text, Map.of());
    }
    int query = text.indexOf('?');
    String shown = query < 0 ? text : text.substring(0, query);
    int slash = shown.indexOf('/', schemeEnd + 3);
    if (slash < 0 || slash == schemeEnd + 3 || slash + 1 == shown.length()) {
      throw new HubbubException("\"" + shown + "\" is no address of the form SCHEME://HOST:PORT/PLACE");
    }
    Map<String, String> settings = new LinkedHashMap<>();
    if (query >= 0) {
      for (String setting : text.substring(query + 1).split("&")) {
        int equals = setting.indexOf('=');
        if (equals <= 0) {
          throw new HubbubException("a setting of " + shown + " is not of the form KEY=VALUE");
        }
        settings.put(decode(setting.substring(0, equals)), decode(setting.substring(equals + 1)));
      }
    }
    return new Address(
        text.substring(0, schemeEnd), shown.substring(schemeEnd + 3, slash), shown.substring(slash + 1), settings);
  }

  /** Undoes percent-encoding. hubbub never writes a blank as '+'. */
  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** The address without its settings, for messages. */
  @Override
  public String toString() {
    return scheme.equals("file") ? place : scheme + "://" + hosts + "/" + place;
  }
}
