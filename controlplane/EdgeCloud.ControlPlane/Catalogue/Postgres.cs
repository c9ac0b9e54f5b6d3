using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>Classifies the database's errors, once: worth another try, or not.</summary>
internal static class Postgres
{
    /// <summary>Saves what must be unique.</summary>
    /// <exception cref="RequestException">Another row has the same unique value: a conflict, in the words of <paramref name="duplicate"/>.</exception>
    public static async Task SaveUniqueAsync(this CatalogueDb db, string duplicate, CancellationToken cancellation)
    {
        try
        {
            await db.SaveChangesAsync(cancellation);
        }
        catch (DbUpdateException e) when (e.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw RequestException.Conflict(duplicate);
        }
    }

    /// <summary>
    /// True when the same work may well go through later: the server is away, starting, shutting down or out of connections, or the
    /// transaction lost against another.
    /// </summary>
    public static bool IsTransient(Exception e) => e switch
    {
        // 57: an operator intervened (shut down, starting up, connection ended); the driver counts only some of them.
        PostgresException { SqlState: ['5', '7', ..] } => true,
        NpgsqlException npgsql => npgsql.IsTransient || npgsql.InnerException is SocketException or IOException or TimeoutException,
        { InnerException: { } inner } => IsTransient(inner),
        _ => false,
    };
}
