using EdgeCloud.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
[assembly: AssemblyFixture(typeof(MosquittoBroker))]
[assembly: AssemblyFixture(typeof(S3Server))]
