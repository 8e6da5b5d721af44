"""A table: made, filled, asked, changed, and removed."""

import os

from azure.data.tables import TableServiceClient, UpdateMode

TABLE_NAME = os.environ["TABLE_NAME"]

with TableServiceClient.from_connection_string(
    conn_str=os.environ["AZURE_STORAGE_CONNECTION_STRING"]
) as service:
    table = service.create_table_if_not_exists(table_name=TABLE_NAME)
    for number, color in enumerate(("Red", "Blue", "Red")):
        table.create_entity(
            {"PartitionKey": "markers", "RowKey": f"{number}", "color": color, "price": 5 + number}
        )
    found = table.query_entities(
        "PartitionKey eq @part and color eq @color", parameters={"part": "markers", "color": "Red"}
    )
    print(sorted(entity["RowKey"] for entity in found))
    entity = table.get_entity(partition_key="markers", row_key="1")
    entity["price"] = 4.99
    table.update_entity(mode=UpdateMode.REPLACE, entity=entity)
    table.upsert_entity({"PartitionKey": "markers", "RowKey": "3", "color": "Green"})
    print(table.get_entity("markers", "1")["price"])
    table.delete_entity(partition_key="markers", row_key="0")
    print(len(list(table.list_entities(select=["color"]))))
    service.delete_table(table_name=TABLE_NAME)
